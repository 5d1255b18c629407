import type { RedisTap } from './redis-tap.ts'
import { commandOf, type TapCommand } from './tap-events.ts'

/** An event that is held at a tap, together with everything after it on its connection. */
export type HeldEvent = {
  readonly isHeld: boolean
  release(): void
}

/** Holds the first command, or the reply to it, for which `wants` returns true. */
export function holdNext(
  tap: RedisTap,
  kind: 'command' | 'reply',
  wants: (command: TapCommand) => boolean,
): HeldEvent {
  let isHeld = false
  let release = (): void => {}
  const released = new Promise<void>((resolve) => (release = resolve))
  tap.onEvent((event) => {
    const command = commandOf(event)
    if (isHeld || event.kind !== kind || !command || !wants(command)) return
    isHeld = true
    return released
  })
  return {
    get isHeld() {
      return isHeld
    },
    release,
  }
}

/** Returns whether a command waits in Redis for a new entry. */
export function isBlocking({ name, args }: TapCommand): boolean {
  return name === 'XREAD' && args.some((arg) => arg.toUpperCase() === 'BLOCK')
}
