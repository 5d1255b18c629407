export type Headers = Map<string, string>

/** The head of a response. The version is `HTTP/1.1`. */
export type ResponseHead = { status: number; version: string; headers: Headers }

/** The head of a request. The target is a path with its query, or an absolute URL if the client speaks to a proxy. */
export type RequestHead = { method: string; target: string; version: string; headers: Headers }

export function parseResponseHead(bytes: Uint8Array): ResponseHead {
  const { first, headers } = linesOf(bytes)
  const [version = '', status] = first.split(' ')
  return { status: Number(status), version, headers }
}

/** Parses the head of a request. Returns undefined if its first line is not that of a request. */
export function parseRequestHead(bytes: Uint8Array): RequestHead | undefined {
  const { first, headers } = linesOf(bytes)
  const [, method, target = '', version = ''] = REQUEST_LINE.exec(first) ?? []
  return method === undefined ? undefined : { method, target, version, headers }
}

/** Returns the offset after the blank line that ends a head, or -1. Lines may end with LF alone (RFC 9112, section 2.2). */
export function endOfHead(bytes: Uint8Array, from = 0): number {
  for (let at = bytes.indexOf(LF, from); at !== -1; at = bytes.indexOf(LF, at + 1)) {
    if (bytes[at + 1] === LF) return at + 2
    if (bytes[at + 1] === CR && bytes[at + 2] === LF) return at + 3
  }
  return -1
}

/** Decodes each byte as one character. TextDecoder cannot do this, because its "latin1" is windows-1252. */
export function latin1(bytes: Uint8Array): string {
  let text = ''
  for (const byte of bytes) text += String.fromCharCode(byte)
  return text
}

export const LF = 10
const CR = 13

const REQUEST_LINE = /^([!#$%&'*+.^_`|~\dA-Za-z-]+) +(\S+) +(HTTP\/\d(?:\.\d)?)$/

function linesOf(bytes: Uint8Array): { first: string; headers: Headers } {
  const [first = '', ...lines] = latin1(bytes).trim().split(/\r?\n/)
  const headers: Headers = new Map()
  for (const line of lines) {
    const colon = line.indexOf(':')
    const name = line.slice(0, colon).toLowerCase()
    const value = line.slice(colon + 1).trim()
    // Lines with the same name form one list (RFC 9110, section 5.3).
    headers.set(name, headers.has(name) ? `${headers.get(name)}, ${value}` : value)
  }
  return { first, headers }
}
