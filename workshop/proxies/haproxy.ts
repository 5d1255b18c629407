import { haproxy } from '../tools/proxies.ts'
import { startProxyProcess, type RunningProxy } from './proxy-process.ts'

/** Starts HAProxy, with the given options in its `defaults` section. */
export function startHaproxy(upstreamPort: number, setting: string): Promise<RunningProxy> {
  return startProxyProcess(haproxy, ({ port, write }) => {
    const conf = write(
      'haproxy.cfg',
      `
global
  maxconn 200
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  ${setting}
listen stream
  bind 127.0.0.1:${port}
  server tremor 127.0.0.1:${upstreamPort}
`,
    )
    return ['-db', '-f', conf]
  })
}
