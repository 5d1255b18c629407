import type { Problem } from '../lessons/args.ts'
import type { WatchedServer } from '../session/wire-session.ts'
import { refuse } from './refuse.ts'

/** `npm run wire http://127.0.0.1:8080`: the wire and the trouble controls before any HTTP server. */
export async function wire(args: string[]): Promise<number> {
  const server = serverIn(args)
  if ('problem' in server) {
    return refuse(server.problem)
  }
  const { watchWire } = await import('../session/wire-terminal.ts')
  return watchWire(server)
}

function serverIn(args: string[]): WatchedServer | Problem {
  const [arg = '', ...rest] = args.filter((each) => each !== '')
  if (arg === '') return { problem: `Say before which server: ${EXAMPLE}` }
  if (rest.length > 0) return { problem: `One server at a time: ${EXAMPLE}` }
  // `localhost:8080` would be a URL with the scheme `localhost:`.
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(arg) ? arg : `http://${arg}`
  if (!URL.canParse(text)) return { problem: `"${arg}" is no URL. It looks like ${EXAMPLE}` }
  const url = new URL(text)
  if (url.protocol === 'https:') {
    return {
      problem:
        'Behind https:// the bytes are encrypted, and the wire shows nothing that can be read. ' +
        'Put it before the server that speaks plain HTTP, behind whatever adds TLS.',
    }
  }
  if (url.protocol !== 'http:') return { problem: `It takes a URL with http://, got "${arg}".` }
  // An IPv6 address stands in brackets in a URL, and without them everywhere else.
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  return { url, destination: { host, port: Number(url.port || 80) } }
}

const EXAMPLE = 'npm run wire http://127.0.0.1:8080'
