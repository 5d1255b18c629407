import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { proxies } from '../../workshop/tools/proxies.ts'
import type { ExternalTool } from '../../workshop/tools/external-tool.ts'
import { startApache } from '../../workshop/proxies/apache.ts'
import { startCaddy } from '../../workshop/proxies/caddy.ts'
import { startHaproxy } from '../../workshop/proxies/haproxy.ts'
import { site, startNginx } from '../../workshop/proxies/nginx.ts'
import { startProxyProcess, type RunningProxy } from '../../workshop/proxies/proxy-process.ts'
import { startVarnish } from '../../workshop/proxies/varnish.ts'
import { ROOT } from '../../workshop/root.ts'

// Each test has its own folder for temporary files, and the path of that folder is in the command line of each proxy. So a
// proxy that is still running can be found, but only on Linux, where all command lines are readable.
const isLinux = process.platform === 'linux'
const before = process.env.TMPDIR
let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'proxies-'))
  // If root starts Varnish, it switches to another user, who needs access to its files.
  chmodSync(folder, 0o755)
  process.env.TMPDIR = folder
})
afterEach(() => {
  if (before === undefined) delete process.env.TMPDIR
  else process.env.TMPDIR = before
  rmSync(folder, { recursive: true, force: true })
})

const starts: Record<string, (port: number) => Promise<RunningProxy>> = {
  nginx: (port) => startNginx((listen) => site(listen, `http://127.0.0.1:${port}`, '')),
  haproxy: (port) => startHaproxy(port, ''),
  apache: (port) => startApache(port, ''),
  caddy: (port) => startCaddy(port, ''),
  varnish: (port) => startVarnish(port, ''),
}

test.for(proxies)(
  '$name passes a request on, and no process is left when it is stopped',
  async (tool, { skip }) => {
    skip(isMissing(tool), `there is no ${tool.name}`)
    const server = createServer((_request, response) => response.end('from the server'))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    try {
      const proxy = await starts[tool.name]!((server.address() as AddressInfo).port)
      const response = await fetch(`http://127.0.0.1:${proxy.port}/`)
      expect(await response.text()).toBe('from the server')
      if (isLinux) expect(programs()).not.toEqual([])
      await proxy.stop()
      expect(left()).toEqual([])
    } finally {
      server.closeAllConnections()
      server.close()
    }
  },
)

test.for(['SIGINT', 'SIGTERM', 'SIGKILL', 'exit'] as const)(
  'a workshop that ends by %s leaves no proxy and no folder behind',
  async (how, { skip }) => {
    skip(isMissing(proxies[0]!), 'there is no nginx')
    const child = spawn(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '-e', PARENT],
      {
        cwd: ROOT,
        env: { ...process.env, HOW: how },
        stdio: ['ignore', 'pipe', 'inherit'],
      },
    )
    await once(child.stdout, 'data')
    if (isLinux) expect(programs()).not.toEqual([])
    if (how !== 'exit') child.kill(how)
    else child.stdout.destroy()
    await once(child, 'exit')
    await vi.waitUntil(() => left().length === 0, { timeout: 120_000 })
  },
)

test('a proxy that fails to start reports why, and leaves nothing behind', async ({ skip }) => {
  skip(isMissing(proxies[0]!), 'there is no nginx')
  await expect(startNginx(() => 'nonsense;')).rejects.toThrow('unknown directive "nonsense"')
  expect(left()).toEqual([])
})

test('the error names a missing tool', async () => {
  const tool: ExternalTool = {
    name: 'nothing',
    for: 'nobody',
    find: () => undefined,
    advice: () => '',
  }
  await expect(startProxyProcess(tool, () => [])).rejects.toThrow('nothing is missing')
})

/** A program that starts nginx, prints a line, and ends in the given way or never. */
const PARENT = `
  import { startNginx } from './workshop/proxies/nginx.ts'
  process.stdout.on('error', () => process.exit())
  await startNginx((listen) => 'server { listen ' + listen + '; }')
  setInterval(() => console.log('started'), 50)
`

function isMissing(tool: ExternalTool): boolean {
  return tool.find() === undefined
}

function left(): string[] {
  return [
    ...readdirSync(folder).filter((name) => name.startsWith('workshop-proxy-')),
    ...programs(),
  ]
}

/** Returns the command lines that contain the test's folder. */
function programs(): string[] {
  if (!isLinux) return []
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
      } catch {
        return ''
      }
    })
    .filter((line) => line.includes(`${folder}/workshop-proxy-`))
}
