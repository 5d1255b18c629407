import { get } from 'node:http'
import { createServer, type AddressInfo, type Server } from 'node:net'
import type { NginxSettings } from '../../protocol/grading.ts'
import type { RunningProxy } from '../proxies/proxy-process.ts'

/**
 * Asks nginx which settings are in force for a path. Only nginx knows which server and location it takes for a request,
 * and what these inherit.
 *
 * It runs a copy of the configuration in which each directive of interest is replaced by one with the same contexts and
 * the same inheritance, whose value the server sees: the method and the body of the request.
 *
 * @param start starts nginx with a configuration
 * @returns undefined when that cannot be told
 */
export async function nginxSettings(
  conf: string,
  { path, start }: { path: string; start(conf: string): Promise<RunningProxy> },
): Promise<NginxSettings | undefined> {
  if (HIDES_SETTINGS.test(conf)) return undefined
  const copy = conf
    .replace(/\bproxy_read_timeout\b/g, 'proxy_method')
    .replace(/\bproxy_buffering\b/g, 'proxy_set_body')
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

/** Directives of the work that would be taken for ours, and files that are not searched. */
const HIDES_SETTINGS =
  /\b(proxy_method|proxy_set_body)\b|\binclude\s+(?!["']?(listen\.conf|\S*mime\.types)["']?;)/

/** What nginx sends to the server when somebody asks it for the path. */
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
    get({ port: nginx.port, host: '127.0.0.1', path, agent: false, headers }, (answer) => {
      answer.resume()
      // When nginx answers by itself nothing has come to the server, and nothing will.
      answer.on('close', () => reject(new Error(`nginx answered ${answer.statusCode}`)))
    }).on('error', reject)
  })
}

function isComplete(request: string): boolean {
  const [head, body] = request.split('\r\n\r\n')
  const length = /^content-length: *(\d+)\r?$/im.exec(head!)?.[1] ?? 0
  return body !== undefined && body.length >= Number(length)
}

/** A method that is still `GET`, and a body that is still empty, are those of the client: nobody has said anything. */
function settingsIn(request: string): NginxSettings {
  const method = /^(.*) \S+ HTTP\/1\.\d\r\n/.exec(request)?.[1]
  const [, body] = request.split('\r\n\r\n')
  return {
    ...(method && method !== 'GET' && { readTimeout: method }),
    ...(body && { buffering: body }),
  }
}
