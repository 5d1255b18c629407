import type { WriteStream } from 'node:tty'

/** What a colour stands for. It never says anything alone: a word or a mark says it too. */
export type Hue = 'request' | 'response' | 'framing' | 'good' | 'bad' | 'quiet' | 'strong'

/** Colours a text for the terminal, or leaves it as it is. */
export type Paint = (hue: Hue, text: string) => string

export function painter(colour: boolean): Paint {
  if (!colour) return (_hue, text) => text
  return (hue, text) => `\u001b[${CODES[hue]}m${text}\u001b[0m`
}

/** A terminal has colours unless its owner says no; anything else only when its owner says so. */
export function wantsColour(stream: Pick<WriteStream, 'isTTY'>): boolean {
  const { FORCE_COLOR, NO_COLOR, TERM } = process.env
  if (FORCE_COLOR !== undefined) return FORCE_COLOR !== '0' && FORCE_COLOR !== 'false'
  return stream.isTTY && !NO_COLOR && TERM !== 'dumb'
}

// Of the 256-colour palette: readable on dark and on light, and apart for colour-blind eyes.
const CODES: Record<Hue, string> = {
  request: '38;5;32',
  response: '38;5;172',
  framing: '38;5;133',
  good: '38;5;35',
  bad: '38;5;167',
  quiet: '2',
  strong: '1',
}
