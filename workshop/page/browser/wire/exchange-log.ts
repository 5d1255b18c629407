import type { Entry } from '../../../../wire/entry.ts'
import { MOST_EXCHANGES, type Exchange } from '../../../../wire/exchange.ts'

/** The requests and responses that the page keeps. Times are as in the log of the wire. */
export type ExchangeLog = {
  /** Increases with every change. */
  readonly version: number
  /** The exchanges in the order of their requests. */
  readonly all: readonly Exchange[]
  find(id: number): Exchange | undefined
  /** Returns the exchanges of a connection, in the order of their requests. */
  of(connection: number): readonly Exchange[]
  listen(changed: () => void): () => void
}

export type WritableExchangeLog = ExchangeLog & {
  add(exchanges: readonly Exchange[]): void
  forget(): void
  /** Removes the exchanges that had ended before entry `n`. */
  forgetBefore(n: number): void
}

/** Creates an empty log. */
export function exchangeLog(): WritableExchangeLog {
  const byId = new Map<number, Exchange>()
  const listeners = new Set<() => void>()
  /** The oldest entry to accept. After a reconnect, the channel sends everything, even if the reader has cleared it. */
  let oldest = 0
  let version = 0
  let sorted: { version: number; all: Exchange[]; of: Map<number, Exchange[]> } | undefined

  function changed(): void {
    version += 1
    for (const tell of listeners) tell()
  }

  /** Sorts the exchanges only if they have changed since they were last read, because they change faster than the page. */
  function read(): NonNullable<typeof sorted> {
    if (sorted?.version === version) return sorted
    const all = [...byId.values()].toSorted((a, b) => a.id - b.id)
    const of = new Map<number, Exchange[]>()
    for (const each of all) {
      const others = of.get(each.connection)
      if (others) others.push(each)
      else of.set(each.connection, [each])
    }
    sorted = { version, all, of }
    return sorted
  }

  /** Returns whether an exchange had ended before the oldest entry. One that is open stays, because more of it may arrive. */
  function hadEnded({ endedAt, lastEntry }: Exchange): boolean {
    return endedAt !== undefined && lastEntry < oldest
  }

  function evictOldest(): void {
    const excess = byId.size - MOST_EXCHANGES
    if (excess <= 0) return
    const ids = [...byId.keys()].toSorted((a, b) => a - b)
    for (const id of ids.slice(0, excess)) byId.delete(id)
  }

  return {
    get version() {
      return version
    },
    get all() {
      return read().all
    },
    find: (id) => byId.get(id),
    of: (connection) => read().of.get(connection) ?? [],
    listen(tell) {
      listeners.add(tell)
      return () => listeners.delete(tell)
    },
    add(exchanges) {
      for (const each of exchanges) {
        if (!hadEnded(each)) byId.set(each.id, each)
      }
      evictOldest()
      changed()
    },
    forget() {
      byId.clear()
      oldest = 0
      changed()
    },
    forgetBefore(n) {
      oldest = n
      for (const each of byId.values()) if (hadEnded(each)) byId.delete(each.id)
      changed()
    },
  }
}

/** Returns the exchange to which an entry of the wire belongs, as far as that is known. */
export function exchangeAt(log: ExchangeLog, entry: Entry): Exchange | undefined {
  if (entry.kind === 'note') return undefined
  const all = log.of(entry.connection)
  if (entry.kind === 'opened') return all[0]
  const begun = all.filter(({ firstEntry }) => firstEntry <= entry.n)
  const isRequest = entry.kind === 'arrived' && entry.direction === 'request'
  // A client may send several requests at once. The responses come one after another.
  return isRequest
    ? begun.at(-1)
    : (begun.find(({ lastEntry }) => lastEntry >= entry.n) ?? begun.at(-1))
}

/** Names a request: `GET /events`. */
export function nameOf({ method, target }: Pick<Exchange, 'method' | 'target'>): string {
  const name = `${method} ${pathOf(target)}`
  return name.length > LONGEST_NAME ? `${name.slice(0, LONGEST_NAME - 1)}…` : name
}

/** Names a connection by its newest request: `GET /events, #3`. */
export function nameOfConnection(log: ExchangeLog, connection: number): string {
  const all = log.of(connection)
  const newest = all.at(-1)
  if (!newest) return `#${connection}`
  const earlier = all.length === 1 ? '' : ` and ${all.length - 1} earlier`
  return `${nameOf(newest)}${earlier}, #${connection}`
}

/** Returns the path and the query, even if a client that speaks to a proxy has sent a whole URL. */
export function pathOf(target: string): string {
  return target.replace(/^[a-z]+:\/\/[^/]*(?=\/)/i, '')
}

const LONGEST_NAME = 60

export const liveExchanges = exchangeLog()
