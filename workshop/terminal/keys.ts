import type { ReadStream } from 'node:tty'

/** Ctrl-C, which raw mode delivers as an ordinary key. */
export const CTRL_C = '\u0003'

/**
 * If the input is a terminal, calls `pressed` for each key.
 *
 * @returns a function that stops listening and restores the terminal
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
