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
