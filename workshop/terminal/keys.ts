import type { ReadStream } from 'node:tty'

/** Ctrl-C: in raw mode it is a key like any other. */
export const CTRL_C = '\u0003'

/**
 * Calls `pressed` for each key, when there is a keyboard.
 *
 * @returns puts the terminal back as it was
 */
export function listenForKeys(input: ReadStream, pressed: (key: string) => void): () => void {
  if (!input.isTTY) return () => {}
  const hear = (keys: Buffer): void => {
    for (const key of keys.toString()) pressed(key)
  }
  input.setRawMode(true)
  input.on('data', hear)
  input.resume()
  return () => {
    input.off('data', hear)
    input.setRawMode(false)
    input.pause()
  }
}
