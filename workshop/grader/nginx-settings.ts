import { get } from 'node:http'
import { createServer, type AddressInfo, type Server } from 'node:net'
import type { NginxSettings } from '../../protocol/grading.ts'
import { allDirectives, mapConf, type Directive } from './nginx-conf.ts'
import type { RunningProxy } from '../proxies/proxy-process.ts'

/**
 * Asks nginx which settings apply to a path. Only nginx knows which server and location it chooses for a request, and
 * which settings these inherit.
 *
 * This function runs nginx with a copy of the configuration in which each directive of interest is replaced by
 * another directive that has the same contexts and inheritance, and whose value reaches the server as the method or
 * the body of the request.
 *
 * @param start starts nginx with a configuration
 * @returns undefined if the settings cannot be determined
 */
export async function nginxSettings(
  conf: Directive[],
  { path, start }: { path: string; start(conf: Directive[]): Promise<RunningProxy> },
): Promise<NginxSettings | undefined> {
  const replacements = new Set(Object.values(REPLACEMENTS))
  for (const { directive } of allDirectives(conf)) {
    if (replacements.has(directive.name)) return undefined
  }
  const copy = mapConf(conf, (directive) => {
    const name = REPLACEMENTS[directive.name] ?? directive.name
    return { ...directive, name }
  })
  const server = createServer()
  let nginx: RunningProxy | undefined
  try {
    nginx = await start(copy)
    return settingsIn(await requestOf(nginx, server, path))
  } catch {
    return undefined
  } finally {
    server.close()
    await nginx?.stop()
  }
}

/** The directives of interest, and those that replace them. */
const REPLACEMENTS: Record<string, string> = {
  proxy_read_timeout: 'proxy_method',
  proxy_buffering: 'proxy_set_body',
}

/** Returns the request that nginx sends to the server when a client requests the path. */
async function requestOf(nginx: RunningProxy, server: Server, path: string): Promise<string> {
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  return new Promise((resolve, reject) => {
    server.once('connection', (socket) => {
      let request = ''
      socket.on('data', (bytes) => {
        request += bytes.toString('latin1')
        if (isComplete(request)) socket.destroy()
      })
      socket.on('error', () => {})
      socket.on('close', () => resolve(request))
    })
    const headers = { 'Server-Port': (server.address() as AddressInfo).port }
    const signal = AbortSignal.timeout(LONGEST_MS)
    get({ port: nginx.port, host: '127.0.0.1', path, agent: false, headers, signal }, (answer) => {
      // If nginx answers by itself, no request reaches the server.
      answer.destroy()
      reject(new Error(`nginx answered ${answer.statusCode}`))
    }).on('error', reject)
  })
}

/** The time after which nginx counts as never answering, for example because it waits for another server. */
const LONGEST_MS = 10_000

function isComplete(request: string): boolean {
  const [head, body] = request.split('\r\n\r\n')
  const length = /^content-length: *(\d+)\r?$/im.exec(head!)?.[1] ?? 0
  return body !== undefined && body.length >= Number(length)
}

/**
 * Extracts the settings from a request. If the method is still `GET` or the body is still empty, the configuration
 * has no such directive.
 */
function settingsIn(request: string): NginxSettings {
  const method = /^(.*) \S+ HTTP\/1\.\d\r\n/.exec(request)?.[1]
  const [, body] = request.split('\r\n\r\n')
  return {
    ...(method && method !== 'GET' && { readTimeout: method }),
    ...(body && { buffering: body }),
  }
}
