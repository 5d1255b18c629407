import { lstatSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { NginxPorts } from '../../protocol/grading.ts'
import { lessonNumbered } from '../lessons/catalogue.ts'
import { Sentence } from '../machine-problem.ts'
import { site, startNginx } from '../proxies/nginx.ts'
import type { RunningProxy } from '../proxies/proxy-process.ts'
import {
  allDirectives,
  ConfError,
  mapConf,
  parseConf,
  writeConf,
  type Directive,
} from './nginx-conf.ts'
import { refusalOf, type Refusal } from './nginx-limits.ts'
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
  const [{ port }, { own, ...ofWork }] = await Promise.all([holdingNginx(), startNginxOf(conf)])
  return {
    ports: { holding: port, ...ofWork, ...(own && { ofWork: own.port }) },
    async stop() {
      await own?.stop()
    },
  }
}

/** The nginx that all gradings in this process share. It ends with the process. */
let ours: Promise<RunningProxy> | undefined

function holdingNginx(): Promise<RunningProxy> {
  ours ??= startNginx((listen) => `${TREMOR} ${site(listen, 'http://$tremor', HOLDS_ALL)}`)
  return ours.catch((error: unknown) => {
    // Let the next grading try again.
    ours = undefined
    throw new Sentence(`nginx does not start on this machine. It says: ${saidBy(error as Error)}`)
  })
}

async function startNginxOf(
  file: string,
): Promise<Pick<NginxPorts, 'problem' | 'settings'> & { own?: RunningProxy }> {
  const stats = lstatSync(file, { throwIfNoEntry: false })
  if (!stats) return { problem: 'There is no nginx.conf.' }
  if (!stats.isFile() || stats.size > MOST_BYTES) {
    return { problem: 'Your nginx.conf is not a file of at most 1 MB.' }
  }
  const conf = parsed(readFileSync(file, 'utf8'))
  if (conf instanceof ConfError) return didNotStart(conf.message)
  if (![...allDirectives(conf)].some(({ directive }) => includesListen(directive))) {
    return { problem: 'No server of your nginx.conf has the line include listen.conf; in it.' }
  }
  const refusal = refusalOf(conf)
  if (refusal) return refused(conf, refusal)
  const [own, settings] = await Promise.all([
    startWith(conf).catch((error: unknown) => error as Error),
    nginxSettings(conf, { path: '/events', start: startWith }),
  ])
  if (own instanceof Error) return didNotStart(saidBy(own))
  return { own, ...(settings && { settings }) }
}

function includesListen({ name, args }: Directive): boolean {
  return name === 'include' && args[0] === 'listen.conf'
}

function parsed(text: string): Directive[] | ConfError {
  try {
    return parseConf(text)
  } catch (error) {
    if (error instanceof ConfError) return error
    throw error
  }
}

/**
 * Reports a refused directive. If nginx does not know the directive, or does not allow it in its place, nginx's own
 * message is more useful. To get that message, this function starts nginx without the arguments of refused directives.
 */
async function refused(
  conf: Directive[],
  { directive, why }: Refusal,
): Promise<{ problem: string }> {
  const bare = mapConf(conf, (each) =>
    refusalOf([{ ...each, block: [] }]) ? { ...each, args: [] } : each,
  )
  const started = await startWith(bare).catch((error: unknown) => saidBy(error as Error))
  if (typeof started !== 'string') await started.stop()
  else if (/unknown directive|is not allowed here/.test(started)) return didNotStart(started)
  return {
    problem: `Line ${directive.line} of your nginx.conf uses the directive "${directive.name}" in a way that the grader does not allow. ${why}`,
  }
}

function didNotStart(says: string): { problem: string } {
  return { problem: `nginx did not start with your nginx.conf. It says: ${says}` }
}

function saidBy({ message }: Error): string {
  return /\[emerg\] (?:[\d#]+: )?(.*)/.exec(message)?.[1] ?? message
}

/** Starts nginx with a configuration that has no refused directives, and with few rights, because it is not ours. */
function startWith(conf: Directive[]): Promise<RunningProxy> {
  return startNginx(
    (listen, { folder, write }) => {
      write('nginx.conf', writeConf(withoutOtherPorts(conf, folder)))
      write('listen.conf', `listen ${listen};`)
      return `${TREMOR} include nginx.conf;`
    },
    { isConfined: true },
  )
}

/**
 * Replaces the ports in `listen` directives by unix sockets that no client uses. The port may be in use, even by another
 * grading, or reserved for root.
 */
function withoutOtherPorts(conf: Directive[], folder: string): Directive[] {
  let count = 0
  return mapConf(conf, (directive) => {
    if (directive.name !== 'listen') return directive
    count += 1
    return { ...directive, args: [`unix:${folder}/${count}.sock`] }
  })
}

/** More than anybody writes into an nginx.conf. */
const MOST_BYTES = 1_000_000

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
