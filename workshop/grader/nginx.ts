import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { NginxPorts } from '../../protocol/grading.ts'
import { lessonNumbered } from '../lessons/catalogue.ts'
import { site, startNginx } from '../proxies/nginx.ts'
import type { RunningProxy } from '../proxies/proxy-process.ts'
import { nginxSettings } from './nginx-settings.ts'

/** The real nginx, started on behalf of a process that may not start programs. */
export type NginxForChecks = { ports: NginxPorts; stop(): Promise<void> }

/**
 * Starts two nginx servers: one that buffers everything that nginx can buffer, and one with the learner's
 * `nginx.conf`. Both pass a request on to the port that its `Server-Port` header names, so that each check can have
 * its own server.
 */
export async function nginxFor(lesson: number, sandbox: string): Promise<NginxForChecks> {
  const conf = join(sandbox, lessonNumbered(lesson)!.folder, 'nginx.conf')
  ours ??= startNginx((listen) => `${TREMOR} ${site(listen, 'http://$tremor', HOLDS_ALL)}`)
  const [{ port }, { own, ...ofWork }] = await Promise.all([ours, startNginxOf(conf)])
  return {
    ports: { holding: port, ...ofWork, ...(own && { ofWork: own.port }) },
    async stop() {
      await own?.stop()
    },
  }
}

/** The nginx that all gradings in this process share. It ends with the process. */
let ours: Promise<RunningProxy> | undefined

async function startNginxOf(
  file: string,
): Promise<Pick<NginxPorts, 'problem' | 'settings'> & { own?: RunningProxy }> {
  if (!existsSync(file)) return { problem: 'There is no nginx.conf.' }
  const conf = readFileSync(file, 'utf8')
  if (!/\binclude\s+["']?listen\.conf/.test(conf)) {
    return { problem: 'No server of your nginx.conf has the line include listen.conf; in it.' }
  }
  const [own, settings] = await Promise.all([
    startWith(conf).catch((error: unknown) => error as Error),
    nginxSettings(conf, { path: '/events', start: startWith }),
  ])
  if (!(own instanceof Error)) return { own, ...(settings && { settings }) }
  const says = /\[emerg\] (?:[\d#]+: )?(.*)/.exec(own.message)?.[1] ?? own.message
  return { problem: `nginx did not start with your nginx.conf. It says: ${says}` }
}

function startWith(conf: string): Promise<RunningProxy> {
  return startNginx((listen, { folder, write }) => {
    write('nginx.conf', withoutOtherPorts(conf, folder))
    write('listen.conf', `listen ${listen};`)
    return `${TREMOR} include nginx.conf;`
  })
}

/**
 * Replaces the ports in `listen` directives by unix sockets that no client uses. The port may be in use, even by another
 * grading, or reserved for root.
 */
function withoutOtherPorts(conf: string, folder: string): string {
  let count = 0
  return conf.replace(/(?<=^|[{};\s])listen[ \t]+[^;{}#\n]+;/gm, () => {
    count += 1
    return `listen unix:${folder}/${count}.sock;`
  })
}

const TREMOR = 'map $http_server_port $tremor { default 127.0.0.1:$http_server_port; }'

/** nginx's defaults before 1.29.7, written out, with compression of everything. */
const HOLDS_ALL = `
  proxy_http_version 1.0;
  proxy_buffering on;
  gzip on;
  gzip_proxied any;
  gzip_min_length 0;
  gzip_types text/event-stream;
`
