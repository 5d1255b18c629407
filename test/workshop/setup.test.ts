import { chmodSync, readFileSync, rmSync } from 'node:fs'
import process from 'node:process'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { copyOfWorkshop, type Copy } from './copy.ts'
import { endPrograms, run, type Program } from './program.ts'

// The programs on the PATH are scripts with a few lines, so nothing is downloaded or installed on this machine.
describe.skipIf(process.platform !== 'linux')('npm run setup', () => {
  let copy: Copy
  beforeEach(() => {
    copy = copyOfWorkshop()
    for (const name of SERVERS) onPath(name, `echo ${name} 1.0`)
  })
  afterEach(() => {
    endPrograms()
    copy.remove()
  })

  test('finds the installed tools and prints their versions', async () => {
    onPath('chromium', CHROMIUM)
    const program = setup()
    expect(await program.ended).toBe(0)
    expect(program.output).toBe(`browser: found ${path('chromium')} (Chromium 156.0)\n${found()}`)
  })

  test('prefers the browser that BROWSER_PATH names', async () => {
    onPath('chromium', CHROMIUM)
    onPath('mine', 'echo Mine 1.0')
    const program = setup({ BROWSER_PATH: path('mine') })
    expect(await program.ended).toBe(0)
    expect(program.output).toBe(`browser: found ${path('mine')} (Mine 1.0)\n${found()}`)
  })

  test('installs nothing if BROWSER_PATH is wrong', async () => {
    onPath('apt-get', APT)
    const program = setup({ BROWSER_PATH: '/nowhere/chromium' })
    expect(await program.ended).toBe(1)
    expect(program.output).toContain('browser: missing: /nowhere/chromium does not exist\n')
    expect(program.output).toContain('BROWSER_PATH names the browser. Correct it, or leave it out')
    expect(program.output).not.toContain('apt-get')
  })

  test('lets Playwright download a browser if there is no apt-get, and says what to run if that fails', async () => {
    const program = setup()
    expect(await program.ended).toBe(1)
    expect(program.output).toMatch(
      /^browser: missing\n\$ node \S+cli\.js install --no-shell chromium\n/,
    )
    expect(program.output).toContain('Failed to install browsers')
    expect(program.output).toContain('The browser, for the tests of the page, is missing.\n')
    expect(program.output).toContain('type:\n\n  npx playwright install chromium\n')
  })

  test('treats a browser that does not start as missing, and says why', async () => {
    onPath('mine', 'echo "libnss3.so: cannot open shared object file" >&2; exit 127')
    const program = setup({ BROWSER_PATH: path('mine') })
    expect(await program.ended).toBe(1)
    expect(program.output).toContain(
      `is broken: ${path('mine')} says libnss3.so: cannot open shared object file.\n`,
    )
  })

  test('refuses arguments', async () => {
    const program = run(copy, ['setup', 'nginx'])
    expect(await program.ended).toBe(2)
    expect(program.output).toBe('npm run setup takes no arguments, got "nginx".\n')
  })

  describe.skipIf(process.getuid?.() !== 0)('as root', () => {
    test('installs missing tools with apt-get, and finds them the next time', async () => {
      onPath('apt-get', APT)
      const first = setup()
      expect(await first.ended).toBe(0)
      expect(first.output).toContain('$ apt-get install -y --no-install-recommends chromium\n')
      expect(first.output).toContain('0 upgraded, 1 newly installed\n')
      expect(first.output).toContain(`browser: installed ${path('chromium')}\n`)
      expect(readFileSync(copy.path('apt.log'), 'utf8')).toBe(
        'noninteractive update\nnoninteractive install -y --no-install-recommends chromium\n',
      )

      const second = setup()
      expect(await second.ended).toBe(0)
      expect(second.output).toBe(`browser: found ${path('chromium')} (Chromium 156.0)\n${found()}`)
    })

    test('runs apt-get update only once, however many tools it installs', async () => {
      onPath('apt-get', APT)
      rmSync(path('caddy'))
      const program = setup()
      expect(await program.ended).toBe(0)
      expect(program.output).toContain(`caddy: installed ${path('caddy')}\n`)
      const log = readFileSync(copy.path('apt.log'), 'utf8')
      expect(log).toMatch(/^noninteractive update\n.* install .* chromium\n.* install .* caddy\n$/)
    })

    test('says what to run if apt-get fails', async () => {
      onPath('apt-get', 'echo "E: Unable to fetch some archives" >&2; exit 100')
      const program = setup()
      expect(await program.ended).toBe(1)
      expect(program.output).toContain('E: Unable to fetch some archives')
      expect(program.output).not.toContain('$ apt-get install')
      expect(program.output).toContain('type:\n\n  npx playwright install --with-deps chromium\n')
    })

    test.each(['INT', 'TERM'])(
      'SIG%s ends it and every process that it has started, even right after the start',
      async (signal) => {
        onPath('apt-get', aptForEver(signal))
        const program = setup()
        // The program's output closes only when its child process has ended as well.
        expect(await program.ended).toBe(null)
        expect(program.output).toMatch(/begun\n$/)
      },
    )
  })

  /** Runs setup with only the test's programs on the PATH. No download can succeed. */
  function setup(env: NodeJS.ProcessEnv = {}): Program {
    return run(copy, ['setup'], {
      PATH: copy.path('bin'),
      BROWSER_PATH: '',
      // Playwright gives up before it makes a request, because this path is a file and not a folder. Otherwise it tries five times.
      PLAYWRIGHT_BROWSERS_PATH: copy.path('package.json'),
      ...env,
    })
  }

  function onPath(name: string, script: string): void {
    copy.write(`bin/${name}`, `#!/bin/sh\n${script}\n`)
    chmodSync(path(name), 0o755)
  }

  /** Returns the lines that setup prints for the proxies and Redis, all of which are installed. */
  function found(): string {
    return SERVERS.map((name) => {
      const part = { apache2: 'apache', varnishd: 'varnish' }[name] ?? name
      return `${part}: found ${path(name)} (${name} 1.0)\n`
    }).join('')
  }

  function path(name: string): string {
    return copy.path('bin', name)
  }
})

const CHROMIUM = 'echo Chromium 156.0'

const SERVERS = ['nginx', 'haproxy', 'apache2', 'caddy', 'varnishd', 'redis-server']

const APT = `
echo "$DEBIAN_FRONTEND $*" >> apt.log
for package; do :; done
if [ "$1" = install ]; then
  printf '#!/bin/sh\\n${CHROMIUM}\\n' > bin/$package
  /bin/chmod +x bin/$package
  echo 0 upgraded, 1 newly installed
fi
`

/**
 * Returns an apt-get that starts a child process, sends a signal to the setup that runs it, and waits. It is not a shell
 * script, because a shell loses a signal that arrives between its fork and the exec.
 */
const aptForEver = (signal: string): string => `
exec '${process.execPath}' -e '
require("node:child_process").spawn(process.execPath, ["-e", "setInterval(() => {}, 1e9)"], { stdio: "inherit" })
console.log("begun")
process.kill(process.ppid, "SIG${signal}")
setInterval(() => {}, 1e9)
'`
