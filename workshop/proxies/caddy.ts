import { caddy } from '../tools/proxies.ts'
import { startProxyProcess, type RunningProxy } from './proxy-process.ts'

/** Starts Caddy as a proxy, with the given directives in its only site. */
export function startCaddy(upstreamPort: number, setting: string): Promise<RunningProxy> {
  return startProxyProcess(caddy, ({ port, write }) => {
    const conf = write(
      'Caddyfile',
      `
{
  admin off
  auto_https off
  default_bind 127.0.0.1
}
http://:${port} {
  ${setting}
  reverse_proxy 127.0.0.1:${upstreamPort}
}
`,
    )
    return ['run', '--config', conf, '--adapter', 'caddyfile']
  })
}
