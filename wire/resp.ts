/** A value in RESP, the protocol of Redis. A map is an array of pairs, as in version 2 of the protocol. */
export type RespValue = string | number | boolean | null | RespError | RespValue[]

/** An error that Redis has answered. Its message begins with a code, such as `ERR` or `WRONGTYPE`. */
export class RespError extends Error {
  override name = 'RespError'
}

/** A complete command or reply, with the bytes in which it arrived. */
export type RespFrame = { value: RespValue; bytes: Buffer }

/** Splits one direction of a connection into commands or replies. */
export type RespReader = {
  /** Takes the next bytes, and returns the frames that are complete now. */
  push(bytes: Uint8Array): RespFrame[]
}

export function respReader(): RespReader {
  let unread: Buffer = Buffer.alloc(0)
  return {
    push(bytes) {
      unread = Buffer.concat([unread, bytes])
      const frames: RespFrame[] = []
      for (let parsed = parse(unread, 0); parsed; parsed = parse(unread, 0)) {
        frames.push({ value: parsed.value, bytes: unread.subarray(0, parsed.end) })
        unread = unread.subarray(parsed.end)
      }
      return frames
    },
  }
}

/** Writes a command as Redis expects it: an array of strings. */
export function respCommand(args: readonly string[]): string {
  const strings = args.map((arg) => `$${Buffer.byteLength(arg)}\r\n${arg}\r\n`)
  return `*${args.length}\r\n${strings.join('')}`
}

type Parsed = { value: RespValue; end: number }

/** Parses the value that begins at an offset. Returns undefined if a part of the value has not arrived yet. */
function parse(bytes: Buffer, start: number): Parsed | undefined {
  const crlf = bytes.indexOf('\r\n', start)
  if (crlf === -1) return undefined
  const line = bytes.toString('utf8', start + 1, crlf)
  const end = crlf + 2
  switch (bytes.toString('latin1', start, start + 1)) {
    case '+':
    case '(':
      return { value: line, end }
    case '-':
      return { value: new RespError(line), end }
    case ':':
    case ',':
      return { value: Number(line), end }
    case '#':
      return { value: line === 't', end }
    case '_':
      return { value: null, end }
    case '$':
    case '=':
      return parseString(bytes, end, Number(line))
    case '*':
    case '~':
    case '>':
      return parseList(bytes, end, Number(line))
    case '%':
      return parsePairs(bytes, end, Number(line))
    default:
      throw new SyntaxError(`"${line}" does not begin a value of RESP`)
  }
}

function parseString(bytes: Buffer, start: number, length: number): Parsed | undefined {
  if (length === -1) return { value: null, end: start }
  const end = start + length + 2
  if (bytes.length < end) return undefined
  return { value: bytes.toString('utf8', start, start + length), end }
}

function parseList(bytes: Buffer, start: number, length: number): Parsed | undefined {
  if (length === -1) return { value: null, end: start }
  const value: RespValue[] = []
  let end = start
  while (value.length < length) {
    const next = parse(bytes, end)
    if (!next) return undefined
    value.push(next.value)
    end = next.end
  }
  return { value, end }
}

function parsePairs(bytes: Buffer, start: number, count: number): Parsed | undefined {
  const list = parseList(bytes, start, count * 2)
  if (!list) return undefined
  const flat = list.value as RespValue[]
  const pairs = Array.from({ length: count }, (_, n) => flat.slice(2 * n, 2 * n + 2))
  return { value: pairs, end: list.end }
}
