import { eventLines } from './event-lines.ts'
import { legible } from './visible.ts'

/** A part of a body, and the time at which it arrived. */
export type Piece = { at: number; bytes: Uint8Array }

/** The items of a stream that have arrived. Only the newest ones are kept, and `count` is the number of all. */
export type Items = { items: Item[]; count: number }

/** An event, a line or a message, with the time at which its last byte arrived. */
export type Item = {
  at: number
  /** The type of an event, the opcode of a message, or another word, such as `comment`. Empty for a line. */
  kind: string
  /** The ID that the event itself carries. */
  id?: string
  /** The side that has sent a message. */
  direction?: 'request' | 'response'
  text: string
  /** The number of characters that `text` lacks. */
  more?: number
  /** A remark of a few words: `not complete`. */
  note?: string
}

/** Splits an event stream into its events and comments. Blocks that dispatch no event are listed as `no event`. */
export function eventItems(pieces: readonly Piece[]): Items {
  const kept = newestItems()
  const parser = eventLines()
  let block: string[] = []
  let id: string | undefined
  let last = 0
  for (const { at, bytes } of pieces) {
    last = at
    for (const { text, line, event } of parser.push(bytes)) {
      if (line?.isComment) {
        kept.add({ at, kind: 'comment', text: line.value.replace(/^ /, '') })
      } else if (line) {
        block.push(text)
        if (line.field === 'id') id = line.value
      } else {
        if (event) {
          kept.add({ at, kind: event.type, ...(id !== undefined && { id }), text: event.data })
        } else if (block.length > 0) kept.add({ at, kind: 'no event', text: block.join('\n') })
        block = []
        id = undefined
      }
    }
  }
  const rest = [...block, ...(parser.begun === '' ? [] : [parser.begun])]
  if (rest.length > 0) {
    kept.add({ at: last, kind: 'no event', text: rest.join('\n'), note: 'no blank line yet' })
  }
  return kept.items()
}

/**
 * Splits newline-delimited JSON into its lines.
 *
 * @param isWhole whether the body has arrived completely, so that its last line needs no line break
 */
export function lineItems(pieces: readonly Piece[], isWhole: boolean): Items {
  const kept = newestItems()
  const decoder = new TextDecoder()
  let begun = ''
  let last = 0
  for (const { at, bytes } of pieces) {
    last = at
    const [first, ...others] = decoder.decode(bytes, { stream: true }).split('\n')
    const lines = [begun + first!, ...others]
    begun = lines.pop()!
    for (const line of lines) addLine(at, line)
  }
  if (begun !== '') addLine(last, begun, isWhole ? 'no line break' : 'not complete')
  return kept.items()

  function addLine(at: number, line: string, note?: string): void {
    const text = line.replace(/\r$/, '')
    if (text.trim() === '') kept.add({ at, kind: 'blank line', text: '' })
    else if (note !== undefined) kept.add({ at, kind: '', text, note })
    else kept.add({ at, kind: '', text, ...(!isJson(text) && { note: 'not JSON' }) })
  }
}

/** Creates a list that keeps the newest items, and only the beginning of a long text. */
export function newestItems(): { add(item: Item): void; items(): Items } {
  let items: Item[] = []
  let count = 0
  return {
    add({ text, ...item }) {
      count += 1
      const more = text.length - LONGEST
      items.push({ ...item, text: legible(text.slice(0, LONGEST)), ...(more > 0 && { more }) })
      // Drop many at a time, because shifting an array is slow.
      if (items.length === 2 * MOST_ITEMS) items = items.slice(-MOST_ITEMS)
    },
    items() {
      const newest = items.slice(-MOST_ITEMS)
      let left = MOST_CHARACTERS
      const from = newest.findLastIndex(({ text }) => (left -= text.length) < 0) + 1
      return { items: newest.slice(from), count }
    },
  }
}

const MOST_ITEMS = 500
const MOST_CHARACTERS = 256 * 1024
/** The most characters of an item to show. */
const LONGEST = 4096

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
