import type { Problem } from '../lessons/args.ts'
import type { WatchedServer } from '../session/wire-session.ts'
import { refuse } from './refuse.ts'

/** `npm run wire http://127.0.0.1:8080` shows the wire, with its fault controls, between clients and any HTTP server. */
export async function wire(args: string[]): Promise<number> {
  if (args[0] === 'replay') {
    const { replay } = await import('../replay/replay.ts')
    return replay(args.slice(1))
  }
  const server = serverIn(args)
  if ('problem' in server) {
    return refuse(server.problem)
  }
  const { watchWire } = await import('../session/wire-terminal.ts')
  return watchWire(server)
}

function serverIn(args: string[]): WatchedServer | Problem {
  const [arg = '', ...words] = args.filter((each) => each !== '')
  if (arg === '') return { problem: `Which server? For example: ${EXAMPLE}` }
  const unknown = words.find((word) => !(word in WORDS))
  if (unknown !== undefined) {
    return {
      problem: `"${unknown}" is not a word that npm run wire knows. After the URL, it knows ${Object.entries(
        WORDS,
      )
        .map(([word, meaning]) => `${word} (${meaning})`)
        .join(', ')}.`,
    }
  }
  // Without this, `localhost:8080` would be parsed as a URL with the scheme `localhost:`.
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(arg) ? arg : `http://${arg}`
  if (!URL.canParse(text))
    return { problem: `"${arg}" is not a valid URL. For example: ${EXAMPLE}` }
  const url = new URL(text)
  const isSecure = url.protocol === 'https:'
  if (!isSecure && url.protocol !== 'http:') {
    return { problem: `The URL must begin with http:// or https://, got "${arg}".` }
  }
  // Remove the brackets that an IPv6 address has in a URL, but nowhere else.
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  return {
    url,
    address: {
      host,
      port: Number(url.port || (isSecure ? 443 : 80)),
      ...(isSecure && { tls: { isInsecure: words.includes('insecure') } }),
    },
    isRenamed: words.includes('host'),
    ...(words.includes('http2') && { speaksHttp2: true }),
  }
}

/** The words that may follow the URL, and their meanings. */
const WORDS = {
  host: 'requests get the name of the server, and redirects lead through the wire',
  insecure: 'any certificate is accepted',
  http2: 'the server speaks only HTTP/2',
}

const EXAMPLE = 'npm run wire http://127.0.0.1:8080'
