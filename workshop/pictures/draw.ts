/** A picture of a mechanism, for a lesson's README. */
export type Picture = {
  name: string
  /** What the picture shows, for people who cannot see it. */
  title: string
  width: number
  height: number
  shapes: Shape[]
}

/** The meaning of a colour. Colour is never the only sign, because a word or a shape always says the same. */
export type Tone = 'ink' | 'quiet' | 'server' | 'client' | 'bad'

export type Point = readonly [x: number, y: number]

export type Shape = { tone?: Tone } & (
  | { kind: 'box'; at: Point; size: Point; isFilled?: boolean; isDashed?: boolean }
  | { kind: 'line'; from: Point; to: Point; isDashed?: boolean; hasArrow?: boolean }
  | { kind: 'dot'; at: Point }
  | { kind: 'text'; at: Point; text: string; anchor?: 'start' | 'middle' | 'end'; isCode?: boolean }
)

/** Draws a picture as SVG. It follows the reader's colour scheme, and its text stays text. */
export function draw({ title, width, height, shapes }: Picture): string {
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title">`,
    `<title id="title">${escape(title)}</title>`,
    `<style>${STYLE}</style>`,
    ARROW_HEADS,
    // Draw a background, because the page may be dark even if the reader's system uses the light scheme.
    `<rect class="paper" width="${width}" height="${height}" rx="6"/>`,
    ...shapes.map(drawShape),
    '</svg>\n',
  ].join('\n')
}

function drawShape(shape: Shape): string {
  const { kind, tone = 'ink' } = shape
  if (kind === 'box') {
    const { at, size, isFilled, isDashed } = shape
    const names = ['box', tone, ...(isFilled ? ['filled'] : []), ...(isDashed ? ['dashed'] : [])]
    return `<rect class="${names.join(' ')}" x="${at[0]}" y="${at[1]}" width="${size[0]}" height="${size[1]}" rx="4"/>`
  }
  if (kind === 'line') {
    const { from, to, isDashed, hasArrow } = shape
    const arrow = hasArrow ? ` marker-end="url(#${tone})"` : ''
    return `<line class="${tone}${isDashed ? ' dashed' : ''}" x1="${from[0]}" y1="${from[1]}" x2="${to[0]}" y2="${to[1]}"${arrow}/>`
  }
  const [x, y] = shape.at
  if (kind === 'dot') return `<circle class="${tone}" cx="${x}" cy="${y}" r="5"/>`
  const { text, anchor = 'start', isCode } = shape
  return `<text class="${tone}${isCode ? ' code' : ''}" x="${x}" y="${y}" text-anchor="${anchor}">${escape(text)}</text>`
}

/** The colours of the lesson page, for the light and the dark scheme. They differ for colour-blind people as well. */
const TONES: Record<Tone | 'paper', [light: string, dark: string]> = {
  paper: ['#fdfdfb', '#14171b'],
  ink: ['#1d2126', '#e4e6e8'],
  quiet: ['#5c6269', '#9aa2ab'],
  server: ['#00706e', '#41c4bf'],
  client: ['#a85400', '#f0a04b'],
  bad: ['#b3261e', '#ff8f84'],
}

const STYLE = `
${variables(0)}
@media (prefers-color-scheme: dark) { ${variables(1)} }
${Object.keys(TONES)
  .map((tone) => `.${tone} { --tone: var(--${tone}); }`)
  .join('\n')}
text { fill: var(--tone); font: 13px system-ui, sans-serif; }
.code { font-family: ui-monospace, Consolas, 'DejaVu Sans Mono', monospace; font-size: 12px; }
line, .box { fill: var(--paper); stroke: var(--tone); stroke-width: 1.5; }
.filled { fill: color-mix(in srgb, var(--tone) 20%, var(--paper)); }
.dashed { stroke-dasharray: 4 4; }
circle, path, .paper { fill: var(--tone); }
`

function variables(scheme: 0 | 1): string {
  const colours = Object.entries(TONES).map(([tone, colour]) => `--${tone}: ${colour[scheme]};`)
  return `svg { ${colours.join(' ')} }`
}

const ARROW_HEADS = `<defs>${Object.keys(TONES)
  .map(
    (tone) =>
      `<marker id="${tone}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="8" markerHeight="8" markerUnits="userSpaceOnUse" orient="auto"><path class="${tone}" d="M0 0 8 4 0 8z"/></marker>`,
  )
  .join('')}</defs>`

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
