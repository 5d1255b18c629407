import type { Point, Shape, Tone } from './draw.ts'

// Short names for the shapes of a picture.

type Style<Kind extends Shape['kind']> = Partial<Omit<Extract<Shape, { kind: Kind }>, 'kind'>>

export function text(at: Point, words: string, style: Style<'text'> = {}): Shape {
  return { kind: 'text', at, text: words, ...style }
}

export function code(at: Point, words: string, style: Style<'text'> = {}): Shape {
  return text(at, words, { isCode: true, ...style })
}

export function box(at: Point, size: Point, style: Style<'box'> = {}): Shape {
  return { kind: 'box', at, size, ...style }
}

/** Returns a box with lines of text in its middle. */
export function labelled(
  at: Point,
  size: Point,
  words: string[],
  style: Style<'box'> = {},
): Shape[] {
  const [x, y] = [at[0] + size[0] / 2, at[1] + size[1] / 2 + 5 - (words.length - 1) * 8]
  const { tone } = style
  return [
    box(at, size, style),
    ...words.map((word, n) =>
      text([x, y + n * 16], word, { anchor: 'middle', ...(tone && { tone }) }),
    ),
  ]
}

export function line(from: Point, to: Point, style: Style<'line'> = {}): Shape {
  return { kind: 'line', from, to, ...style }
}

export function arrow(from: Point, to: Point, style: Style<'line'> = {}): Shape {
  return line(from, to, { hasArrow: true, ...style })
}

export function dot(at: Point, tone: Tone): Shape {
  return { kind: 'dot', at, tone }
}
