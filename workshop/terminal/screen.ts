import type { WriteStream } from 'node:tty'
import { shorten } from '../../wire/visible.ts'
import { painter, wantsColour, type Paint } from './colour.ts'

/** Output that scrolls. On a terminal, a status line stays below the output. */
export type Screen = {
  readonly paint: Paint
  readonly width: number
  print(text: string): void
  /** Replaces the status line. Does nothing if the output is not a terminal. */
  stay(text: string): void
  clear(): void
  /** Removes the status line. */
  close(): void
}

export function screen(out: WriteStream): Screen {
  let staying = ''
  // `columns` is undefined if the output is not a terminal, and some terminals report 0.
  const width = (): number => out.columns || WIDTH_ELSEWHERE

  function withoutStaying(text: string): void {
    if (!out.isTTY) out.write(text)
    else out.write(`${ERASE_LINE}${text}${staying && shorten(staying, width() - 1)}`)
  }

  return {
    paint: painter(wantsColour(out)),
    get width() {
      return width()
    },
    print(text) {
      withoutStaying(`${text}\n`)
    },
    stay(text) {
      if (text === staying) return
      staying = text
      if (out.isTTY) withoutStaying('')
    },
    clear() {
      if (out.isTTY) withoutStaying(CLEAR_SCREEN)
    },
    close() {
      staying = ''
      if (out.isTTY) withoutStaying('')
    },
  }
}

const WIDTH_ELSEWHERE = 100
const ERASE_LINE = '\r\u001b[2K'
const CLEAR_SCREEN = '\u001b[2J\u001b[3J\u001b[H'
