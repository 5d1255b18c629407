import { varnish } from '../tools/proxies.ts'
import { startProxyProcess, type RunningProxy } from './proxy-process.ts'

/** Starts Varnish, with the given VCL after the definition of the backend. */
export function startVarnish(upstreamPort: number, setting: string): Promise<RunningProxy> {
  return startProxyProcess(varnish, ({ port, folder, write }) => {
    const vcl = write(
      'tremor.vcl',
      `vcl 4.1;
backend default { .host = "127.0.0.1"; .port = "${upstreamPort}"; }
${setting}
`,
    )
    return [
      ...['-F', '-a', `127.0.0.1:${port}`, '-f', vcl, '-n', `${folder}/work`],
      ...['-s', 'malloc,16m', '-T', 'none'],
    ]
  })
}
