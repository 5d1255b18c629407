import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { apt, onPath } from './system.ts'
import type { ExternalTool } from './external-tool.ts'

/** The real proxies of lesson 4. */
export const nginx = proxy({ name: 'nginx', versionArgs: ['-v'] })
export const haproxy = proxy({ name: 'haproxy', versionArgs: ['-v'] })
export const apache = proxy({
  name: 'apache',
  programs: ['apache2', 'httpd'],
  aptPackage: 'apache2-bin',
  versionArgs: ['-v'],
})
export const caddy = proxy({ name: 'caddy', versionArgs: ['version'] })
export const varnish = proxy({ name: 'varnish', programs: ['varnishd'], versionArgs: ['-V'] })

export const proxies: ExternalTool[] = [nginx, haproxy, apache, caddy, varnish]

function proxy({
  name,
  programs = [name],
  aptPackage = name,
  versionArgs,
}: {
  name: string
  programs?: string[]
  aptPackage?: string
  versionArgs: string[]
}): ExternalTool {
  return {
    name,
    for: 'the measurements of lesson 4',
    find: () => programs.map(findServer).find((path) => path !== undefined),
    versionArgs,
    install: () => apt(aptPackage),
    advice: () =>
      onPath('apt-get')
        ? `To install it, type:\n\n  sudo apt-get install --no-install-recommends ${aptPackage}`
        : `To install it, use your system's package ${name}.`,
  }
}

/** Returns the path of a server program. On Debian, a normal user's PATH does not contain the folders with server programs. */
function findServer(program: string): string | undefined {
  const usual = ['/usr/sbin', '/usr/local/sbin'].map((folder) => join(folder, program))
  return onPath(program) ?? usual.find((path) => existsSync(path))
}
