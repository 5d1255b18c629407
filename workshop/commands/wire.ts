import { hopsArgs } from '../hops/args.ts'
import type { Problem } from '../lessons/args.ts'
import type { WatchedServer } from '../session/wire-session.ts'
import { refuse } from './refuse.ts'

/**
 * `npm run wire http://127.0.0.1:8080` shows the wire, with its fault controls, between clients and any HTTP server.
 * `npm run wire DIRECT PUBLIC` finds the hop that delays a stream, and `npm run wire report URL` reports on one address.
 */
export async function wire(args: string[]): Promise<number> {
  const asked = hopsArgs(args)
  if (asked) {
    if ('problem' in asked) return refuse(asked.problem)
    const { findHop } = await import('../hops/hops.ts')
    return findHop(asked)
  }
  const server = serverIn(args)
  if ('problem' in server) {
    return refuse(server.problem)
  }
  const { watchWire } = await import('../session/wire-terminal.ts')
  return watchWire(server)
}

function serverIn(args: string[]): WatchedServer | Problem {
  const [arg = '', ...rest] = args.filter((each) => each !== '')
  if (arg === '') return { problem: `Which server? For example: ${EXAMPLE}` }
  if (rest.length > 0) return { problem: `Name only one server: ${EXAMPLE}` }
  // Without this, `localhost:8080` would be parsed as a URL with the scheme `localhost:`.
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(arg) ? arg : `http://${arg}`
  if (!URL.canParse(text))
    return { problem: `"${arg}" is not a valid URL. For example: ${EXAMPLE}` }
  const url = new URL(text)
  if (url.protocol === 'https:') {
    return {
      problem:
        'Over https:// the bytes are encrypted, so the wire would not show anything readable. ' +
        'Use the http:// address of your server itself, without the proxy that adds TLS.',
    }
  }
  if (url.protocol !== 'http:') return { problem: `The URL must begin with http://, got "${arg}".` }
  // Remove the brackets that an IPv6 address has in a URL, but nowhere else.
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1')
  return { url, destination: { host, port: Number(url.port || 80) } }
}

const EXAMPLE = 'npm run wire http://127.0.0.1:8080'
