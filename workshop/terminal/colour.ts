import type { WriteStream } from 'node:tty'

/** The meaning of a colour. Colour is never the only sign, because a word or a symbol always says the same. */
export type Hue = 'request' | 'response' | 'framing' | 'good' | 'bad' | 'quiet' | 'strong'

/** Colours a text for the terminal, or returns it unchanged if colours are off. */
export type Paint = (hue: Hue, text: string) => string

export function painter(colour: boolean): Paint {
  if (!colour) return (_hue, text) => text
  return (hue, text) => `\u001b[${CODES[hue]}m${text}\u001b[0m`
}

/** Returns whether to use colours. Terminals get colours unless they are disabled, other outputs only if they are forced. */
export function wantsColour(stream: Pick<WriteStream, 'isTTY'>): boolean {
  const { FORCE_COLOR, NO_COLOR, TERM } = process.env
  if (FORCE_COLOR !== undefined) return FORCE_COLOR !== '0' && FORCE_COLOR !== 'false'
  return stream.isTTY && !NO_COLOR && TERM !== 'dumb'
}

// Colours from the 256-colour palette that are readable on dark and light backgrounds, and distinct for colour-blind people.
const CODES: Record<Hue, string> = {
  request: '38;5;32',
  response: '38;5;172',
  framing: '38;5;133',
  good: '38;5;35',
  bad: '38;5;167',
  quiet: '2',
  strong: '1',
}
