import { recorder, type Recorder } from '../../wire/recorder.ts'

/** A recorder with a clock that the test sets. */
export type Scripted = {
  recorder: Recorder
  /** Records bytes at a client. `at` is the time since the connection was opened. */
  say(connection: number, at: number, direction: 'request' | 'response', text: Says): void
  open(connection: number): void
  close(
    connection: number,
    at: number,
    by: 'client' | 'server' | 'workshop',
    how: 'ended' | 'reset',
  ): void
}

type Says = string | Uint8Array

export function scripted(): Scripted {
  const record = recorder()
  const { observer } = record
  return {
    recorder: record,
    open: (connection) => observer.opened(connection),
    say(connection, at, direction, text) {
      const bytes = typeof text === 'string' ? Buffer.from(text, 'latin1') : text
      observer.arrived(connection, { at, hop: 'client', direction, bytes })
    },
    close: (connection, at, by, how) => observer.closed(connection, { at, by, how }),
  }
}

/** Returns one chunk of a chunked body. */
export function chunk(text: string): string {
  return `${Buffer.byteLength(text, 'latin1').toString(16)}\r\n${text}\r\n`
}
