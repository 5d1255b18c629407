import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { apt } from './apt.ts'
import { onPath } from './on-path.ts'
import type { Part } from './part.ts'

/** The proxies of lesson 4, each as its makers ship it. */
export const nginx = proxy({ name: 'nginx', versionWords: ['-v'] })
export const haproxy = proxy({ name: 'haproxy', versionWords: ['-v'] })
export const apache = proxy({
  name: 'apache',
  programs: ['apache2', 'httpd'],
  aptPackage: 'apache2-bin',
  versionWords: ['-v'],
})
export const caddy = proxy({ name: 'caddy', versionWords: ['version'] })
export const varnish = proxy({ name: 'varnish', programs: ['varnishd'], versionWords: ['-V'] })

export const proxies: Part[] = [nginx, haproxy, apache, caddy, varnish]

function proxy({
  name,
  programs = [name],
  aptPackage = name,
  versionWords,
}: {
  name: string
  programs?: string[]
  aptPackage?: string
  versionWords: string[]
}): Part {
  return {
    name,
    for: 'the measurements of lesson 4',
    find: () => programs.map(findServer).find((path) => path !== undefined),
    versionWords,
    install: () => apt(aptPackage),
    advice: () =>
      onPath('apt-get')
        ? `To get it, type:\n\n  sudo apt-get install --no-install-recommends ${aptPackage}`
        : `To get it, install the package ${name} of your system.`,
  }
}

/** Debian leaves the folders of servers out of the PATH of those who are not root. */
function findServer(program: string): string | undefined {
  const usual = ['/usr/sbin', '/usr/local/sbin'].map((folder) => join(folder, program))
  return onPath(program) ?? usual.find((path) => existsSync(path))
}
