import type { RespValue } from '../../../wire/resp.ts'

export type TapCommand = {
  kind: 'command'
  /** The number of the connection, from 1. */
  connection: number
  /** The name in upper case: `XREAD`. */
  name: string
  args: string[]
}

export type TapEvent =
  | TapCommand
  | { kind: 'reply'; connection: number; command: TapCommand; value: RespValue }
  | { kind: 'opened' | 'refused' | 'closed'; connection: number }

/** Returns the command that an event sends or answers, or undefined if it is about the connection. */
export function commandOf(event: TapEvent): TapCommand | undefined {
  if (event.kind === 'command') return event
  return event.kind === 'reply' ? event.command : undefined
}
