import type { Field, Message } from '../wire/messages.ts'
import { joinPieces } from '../wire/messages.ts'
import { fromBase64, toBase64 } from '../wire/recording.ts'
import type { ServerState } from './page.ts'
import { quote, type Shell } from './shell.ts'

/** Returns the command with which curl shows the stream of a server. */
export function curlCommand(
  { url, token, question }: Pick<ServerState, 'url' | 'token' | 'question'>,
  shell: Shell,
): string {
  const headers = {
    ...(token !== undefined && { Authorization: `Bearer ${token}` }),
    ...(question !== undefined && {
      'Content-Type': 'application/json',
      'Idempotency-Key': 'curl-1',
    }),
  }
  return commandLine(
    [
      '-N',
      ...Object.entries(headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]),
      ...(question === undefined ? [] : ['-d', JSON.stringify({ question })]),
      ...address(url),
    ],
    shell,
  )
}

/** A request of the wire, to be sent again with curl. The body is in base64. */
export type CopiedRequest = {
  method: string
  url: string
  version: string
  headers: Field[]
  body: string
  /** Whether to show the response as it arrives. */
  isStream: boolean
}

export function copiedRequest({ exchange, request, response }: Message): CopiedRequest {
  const { method, target, host = 'unknown' } = exchange
  return {
    method,
    url: /^https?:\/\//i.test(target) ? target : `http://${host}${target}`,
    version: request.version,
    headers: request.fields,
    body: toBase64(joinPieces(request.body)),
    isStream: !response?.fields.some(({ name }) => name.toLowerCase() === 'content-length'),
  }
}

/** Returns the command with which curl sends a request again, or a reason why there is none. */
export function curlOf(
  request: CopiedRequest,
  shell: Shell,
): { command: string } | { problem: string } {
  const { method, url, version, isStream } = request
  const body = fromBase64(request.body)
  const text = textOf(body)
  if (text === undefined && shell === 'PowerShell') {
    return {
      problem: 'The body of this request is not text, which PowerShell cannot put into a command.',
    }
  }
  const command = commandLine(
    [
      ...(isStream ? ['-N'] : []),
      ...(version === 'HTTP/1.0' ? ['--http1.0'] : []),
      ...methodOptions(method, body.length > 0),
      ...headerOptions(request, body.length > 0),
      ...(text === undefined
        ? ['--data-binary', '@-']
        : body.length > 0
          ? ['--data-raw', text]
          : []),
      ...address(url),
    ],
    shell,
  )
  const piped = text === undefined ? `printf %b '${octal(body)}' | ${command}` : command
  if (piped.length > LONGEST[shell]) {
    return { problem: 'The body of this request is too long for a command.' }
  }
  return { command: piped }
}

function commandLine(args: string[], shell: Shell): string {
  // In PowerShell, `curl` may be an alias of another command.
  const curl = shell === 'POSIX' ? 'curl' : 'curl.exe'
  return [curl, ...args.map((argument) => quote(argument, shell))].join(' ')
}

/** Turns curl's own patterns off if the URL contains their characters. */
function address(url: string): string[] {
  const path = url.replace(/^\w+:\/\/[^/?]*/, '')
  return /[[\]{}]/.test(path) ? ['-g', url] : [url]
}

function methodOptions(method: string, hasBody: boolean): string[] {
  if (method === 'HEAD') return ['--head']
  return method === (hasBody ? 'POST' : 'GET') ? [] : ['-X', method]
}

function headerOptions({ headers, url }: CopiedRequest, hasBody: boolean): string[] {
  const names = new Set(headers.map(({ name }) => name.toLowerCase()))
  const host = URL.canParse(url) ? new URL(url).host : ''
  const options = headers.flatMap(({ name, value }) => {
    const known = name.toLowerCase()
    if (LEFT_TO_CURL.has(known)) return []
    if (known === 'host' && value === host) return []
    // curl asks for the compressions that it can undo.
    if (known === 'accept-encoding') return ['--compressed']
    if (known === 'connection' && !names.has('upgrade')) return []
    // With a colon and no value, curl would leave the header out.
    return ['-H', value === '' ? `${name};` : `${name}: ${value}`]
  })
  // Otherwise, curl would say that the body is a form.
  return hasBody && !names.has('content-type') ? [...options, '-H', 'Content-Type:'] : options
}

/** curl computes these headers from the body. */
const LEFT_TO_CURL = new Set(['content-length', 'transfer-encoding', 'expect'])

/** Linux accepts an argument of at most 128 KiB, and Windows a command of at most 32,767 characters. */
const LONGEST = { POSIX: 120_000, PowerShell: 32_000 }

/** Returns the text of bytes, or undefined if an argument cannot contain them. */
function textOf(bytes: Uint8Array): string | undefined {
  if (bytes.includes(0)) return undefined
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

function octal(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => `\\0${byte.toString(8).padStart(3, '0')}`).join('')
}
