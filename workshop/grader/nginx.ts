import { copyFileSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import type { NginxPorts } from '../../protocol/grading.ts'
import { lessonNumbered } from '../lessons/catalogue.ts'
import { site, startNginx } from '../proxies/nginx.ts'
import type { RunningProxy } from '../proxies/proxy-process.ts'

/** The real nginx, for a process that may start none. */
export type NginxForChecks = { ports: NginxPorts; stop(): Promise<void> }

/**
 * Starts two: one that holds back whatever nginx can, and one with the `nginx.conf` of the work. Both ask the
 * server whose port the request names, so that each check has a server of its own.
 */
export async function nginxFor(lesson: number, sandbox: string): Promise<NginxForChecks> {
  const conf = join(sandbox, lessonNumbered(lesson)!.folder, 'nginx.conf')
  ours ??= startNginx((listen) => `${TREMOR} ${site(listen, 'http://$tremor', HOLDS_ALL)}`)
  const [{ port }, own] = await Promise.all([ours, startNginxOf(conf)])
  return {
    ports: { holding: port, ...('port' in own ? { ofWork: own.port } : own) },
    async stop() {
      if ('port' in own) await own.stop()
    },
  }
}

/** One for all gradings of this process; it ends with the process. */
let ours: Promise<RunningProxy> | undefined

async function startNginxOf(conf: string): Promise<RunningProxy | { says: string }> {
  if (!existsSync(conf)) return { says: 'there is no nginx.conf' }
  try {
    return await startNginx((listen, { folder, write }) => {
      copyFileSync(conf, join(folder, 'nginx.conf'))
      write('listen.conf', `listen ${listen};`)
      return `${TREMOR} include nginx.conf;`
    })
  } catch (error) {
    const { message } = error as Error
    return { says: /\[emerg\] (?:[\d#]+: )?(.*)/.exec(message)?.[1] ?? message }
  }
}

const TREMOR = 'map $http_server_port $tremor { default 127.0.0.1:$http_server_port; }'

/** Its defaults until 1.29.7, said aloud, and compression of everything. */
const HOLDS_ALL = `
  proxy_http_version 1.0;
  proxy_buffering on;
  gzip on;
  gzip_proxied any;
  gzip_min_length 0;
  gzip_types text/event-stream;
`
