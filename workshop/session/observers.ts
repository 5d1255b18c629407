import type { Observer } from '../../wire/tap.ts'

/** Combines two observers into one. */
export function both(one: Observer, other: Observer): Observer {
  return {
    opened(connection) {
      one.opened(connection)
      other.opened(connection)
    },
    arrived(connection, arrival) {
      one.arrived(connection, arrival)
      other.arrived(connection, arrival)
    },
    closed(connection, closing) {
      one.closed(connection, closing)
      other.closed(connection, closing)
    },
  }
}

/** Returns an observer that only hears of the end of each connection. */
export function whenClosed(closed: (connection: number) => void): Observer {
  return { opened() {}, arrived() {}, closed }
}
