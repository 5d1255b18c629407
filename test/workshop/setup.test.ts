import { chmodSync, readFileSync, rmSync } from 'node:fs'
import process from 'node:process'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { copyOfWorkshop, type Copy } from './copy.ts'
import { endPrograms, run, type Program } from './program.ts'

// The programs on the PATH are scripts of a few lines: nothing is downloaded or installed on this machine.
describe.skipIf(process.platform !== 'linux')('npm run setup', () => {
  let copy: Copy
  beforeEach(() => {
    copy = copyOfWorkshop()
    for (const name of PROXIES) onPath(name, `echo ${name} 1.0`)
  })
  afterEach(() => {
    endPrograms()
    copy.remove()
  })

  test('finds what is there, and says which version', async () => {
    onPath('chromium', CHROMIUM)
    const program = setup()
    expect(await program.ended).toBe(0)
    expect(program.output).toBe(`browser: found ${path('chromium')} (Chromium 156.0)\n${found()}`)
  })

  test('takes the browser that BROWSER_PATH says, before any other', async () => {
    onPath('chromium', CHROMIUM)
    onPath('mine', 'echo Mine 1.0')
    const program = setup({ BROWSER_PATH: path('mine') })
    expect(await program.ended).toBe(0)
    expect(program.output).toBe(`browser: found ${path('mine')} (Mine 1.0)\n${found()}`)
  })

  test('installs nothing in place of a BROWSER_PATH that is wrong', async () => {
    onPath('apt-get', APT)
    const program = setup({ BROWSER_PATH: '/nowhere/chromium' })
    expect(await program.ended).toBe(1)
    expect(program.output).toContain('browser: missing: /nowhere/chromium is not there\n')
    expect(program.output).toContain('BROWSER_PATH says where it is. Correct it, or leave it out')
    expect(program.output).not.toContain('apt-get')
  })

  test('has Playwright download a browser where there is no apt-get, and says what to type when that fails', async () => {
    const program = setup()
    expect(await program.ended).toBe(1)
    expect(program.output).toMatch(
      /^browser: missing\n\$ node \S+cli\.js install --no-shell chromium\n/,
    )
    expect(program.output).toContain('Failed to install browsers')
    expect(program.output).toContain('The browser, for the tests of the page, is missing.\n')
    expect(program.output).toContain('type:\n\n  npx playwright install chromium\n')
  })

  test('a browser that does not run is as good as none, and says why', async () => {
    onPath('mine', 'echo "libnss3.so: cannot open shared object file" >&2; exit 127')
    const program = setup({ BROWSER_PATH: path('mine') })
    expect(await program.ended).toBe(1)
    expect(program.output).toContain(
      `is broken: ${path('mine')} says libnss3.so: cannot open shared object file.\n`,
    )
  })

  test('an unknown word is told', async () => {
    const program = run(copy, ['setup', 'nginx'])
    expect(await program.ended).toBe(2)
    expect(program.output).toBe('There is nothing to say behind npm run setup, got "nginx".\n')
  })

  describe.skipIf(process.getuid?.() !== 0)('as root', () => {
    test('installs with apt-get what is missing, and finds it the next time', async () => {
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

    test('looks for news of the packages once, however much is installed', async () => {
      onPath('apt-get', APT)
      rmSync(path('caddy'))
      const program = setup()
      expect(await program.ended).toBe(0)
      expect(program.output).toContain(`caddy: installed ${path('caddy')}\n`)
      const log = readFileSync(copy.path('apt.log'), 'utf8')
      expect(log).toMatch(/^noninteractive update\n.* install .* chromium\n.* install .* caddy\n$/)
    })

    test('says what to type when apt-get fails', async () => {
      onPath('apt-get', 'echo "E: Unable to fetch some archives" >&2; exit 100')
      const program = setup()
      expect(await program.ended).toBe(1)
      expect(program.output).toContain('E: Unable to fetch some archives')
      expect(program.output).not.toContain('$ apt-get install')
      expect(program.output).toContain('type:\n\n  npx playwright install --with-deps chromium\n')
    })

    test.each(['INT', 'TERM'])(
      'SIG%s ends it and all that it has started, also at the first moment',
      async (signal) => {
        onPath('apt-get', aptForEver(signal))
        const program = setup()
        // What it prints is closed when nobody is left who could print: its helper is gone, too.
        expect(await program.ended).toBe(null)
        expect(program.output).toMatch(/begun\n$/)
      },
    )
  })

  /** Runs it where the only programs are those of the test, and no download can succeed. */
  function setup(env: NodeJS.ProcessEnv = {}): Program {
    return run(copy, ['setup'], {
      PATH: copy.path('bin'),
      BROWSER_PATH: '',
      // A file is no folder: Playwright gives up before it asks anybody, and does not try five times.
      PLAYWRIGHT_BROWSERS_PATH: copy.path('package.json'),
      ...env,
    })
  }

  function onPath(name: string, script: string): void {
    copy.write(`bin/${name}`, `#!/bin/sh\n${script}\n`)
    chmodSync(path(name), 0o755)
  }

  /** What it says of the proxies, which are all there. */
  function found(): string {
    return PROXIES.map((name) => {
      const part = { apache2: 'apache', varnishd: 'varnish' }[name] ?? name
      return `${part}: found ${path(name)} (${name} 1.0)\n`
    }).join('')
  }

  function path(name: string): string {
    return copy.path('bin', name)
  }
})

const CHROMIUM = 'echo Chromium 156.0'

const PROXIES = ['nginx', 'haproxy', 'apache2', 'caddy', 'varnishd']

const APT = `
echo "$DEBIAN_FRONTEND $*" >> apt.log
for package; do :; done
if [ "$1" = install ]; then
  printf '#!/bin/sh\\n${CHROMIUM}\\n' > bin/$package
  /bin/chmod +x bin/$package
  echo 0 upgraded, 1 newly installed
fi
`

/** Has a helper, ends the setup that runs it, and waits. Not as a shell: one loses a signal that comes between its fork and the exec. */
const aptForEver = (signal: string): string => `
exec '${process.execPath}' -e '
require("node:child_process").spawn(process.execPath, ["-e", "setInterval(() => {}, 1e9)"], { stdio: "inherit" })
console.log("begun")
process.kill(process.ppid, "SIG${signal}")
setInterval(() => {}, 1e9)
'`
