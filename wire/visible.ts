/**
 * Returns bytes as text without invisible characters. CR becomes ␍, LF becomes ␊, and most other control characters
 * become their pictures (U+2400…). The remaining control characters, Unicode's other line ends, and the characters that
 * change the direction of text become numbers, such as ‹U+0085›. Bytes that are not valid UTF-8 become hexadecimal, such as ‹c3›.
 */
export function visible(bytes: Uint8Array | string): string {
  if (typeof bytes === 'string') return pictures(bytes)
  let text = ''
  for (let start = 0; start < bytes.length;) {
    const end = endOfCharacter(bytes, start)
    const character = bytes.subarray(start, end)
    text += isUtf8(character) ? pictures(utf8.decode(character)) : hexadecimal(character)
    start = end
  }
  return text
}

/**
 * Returns a text that somebody else's program has written, so that it can be printed. Keeps line breaks and tabs, drops
 * colours, and shows other control characters as `visible()` does, because they could move the cursor, hide text or
 * reorder it.
 */
export function legible(text: string): string {
  return text
    .replaceAll(COLOUR, '')
    .replaceAll('\r\n', '\n')
    .replace(/[^\n\t]+/g, pictures)
}

/** Shortens `text` to `width` characters. Keeps its beginning and its end, with an ellipsis in between. */
export function shorten(text: string, width: number): string {
  const characters = [...text]
  if (characters.length <= width) return text
  const tail = Math.floor((width - 1) / 3)
  const head = width - 1 - tail
  return `${characters.slice(0, head).join('')}…${characters.slice(characters.length - tail).join('')}`
}

/** An escape sequence that sets colours. */
const COLOUR = /\u001b\[[\d;:]*m/g

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function pictures(text: string): string {
  return text
    .replace(/[\u0000-\u001f]/g, (control) => String.fromCharCode(0x2400 + control.charCodeAt(0)))
    .replaceAll('\u007f', '\u2421')
    .replace(/[\u0080-\u009f\u2028\u2029\p{Bidi_Control}]/gu, codePoint)
    .replaceAll('\ufeff', '‹BOM›')
}

function codePoint(character: string): string {
  return `‹U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}›`
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    utf8.decode(bytes)
    return true
  } catch {
    return false
  }
}

function hexadecimal(bytes: Uint8Array): string {
  return [...bytes].map((byte) => `‹${byte.toString(16).padStart(2, '0')}›`).join('')
}

/** Returns the offset after the character that begins at `start`. Continuation bytes are 10xxxxxx. */
function endOfCharacter(bytes: Uint8Array, start: number): number {
  let end = start + 1
  if (bytes[start]! < 0xc0) return end
  while (end < bytes.length && end - start < 4 && (bytes[end]! & 0xc0) === 0x80) end += 1
  return end
}
