import type { Arrival } from './arrival.ts'

/** What a request says that its client has; undefined when it says nothing, or is none. */
export function cursorIn({
  direction,
  bytes,
}: Pick<Arrival, 'direction' | 'bytes'>): string | undefined {
  if (direction !== 'request') return undefined
  const text = new TextDecoder().decode(bytes)
  const [head] = text.split('\r\n\r\n')
  return /^last-event-id:[ \t]*(\S.*?)[ \t]*$/im.exec(head!)?.[1]
}
