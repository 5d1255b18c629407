import { existsSync } from 'node:fs'
import { userInfo } from 'node:os'
import { apache } from '../tools/proxies.ts'
import { startProxyProcess, type RunningProxy } from './proxy-process.ts'

/** Starts Apache httpd as a proxy, with the given directives in its only virtual host. */
export function startApache(upstreamPort: number, setting: string): Promise<RunningProxy> {
  return startProxyProcess(apache, ({ port, folder, write }) => {
    const conf = write(
      'apache.conf',
      `
ServerRoot ${folder}
ServerName localhost
PidFile ${folder}/apache.pid
ErrorLog ${folder}/apache.err
DefaultRuntimeDir ${folder}
Mutex file:${folder} default
${MODULES.map((name) => `LoadModule ${name}_module ${modules()}/mod_${name}.so`).join('\n')}
${userInfo().uid === 0 ? 'User nobody\nGroup nogroup' : ''}
Listen 127.0.0.1:${port}
<VirtualHost 127.0.0.1:${port}>
  ProxyPass / http://127.0.0.1:${upstreamPort}/
  ${setting}
</VirtualHost>
`,
    )
    return ['-f', conf, '-DFOREGROUND']
  })
}

const MODULES = ['mpm_event', 'authz_core', 'proxy', 'proxy_http', 'filter', 'deflate']

function modules(): string {
  const usual = ['/usr/lib/apache2/modules', '/usr/lib64/httpd/modules', '/usr/lib/httpd/modules']
  return usual.find((folder) => existsSync(folder)) ?? 'modules'
}
