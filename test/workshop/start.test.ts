import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { spawnSync } from 'node:child_process'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ROOT } from '../../workshop/root.ts'
import { copyOfWorkshop, type Copy } from './copy.ts'
import { endPrograms, run, type Program } from './program.ts'

let copy: Copy
beforeEach(() => {
  copy = copyOfWorkshop({ packages: false })
})
afterEach(() => {
  endPrograms()
  copy.remove()
})

test('a fresh clone installs its packages by itself, and goes on', async () => {
  const program = start({ then: 'install' })
  expect(await program.ended).toBe(0)
  expect(program.output).toContain('Installing the packages of the workshop, once (npm ci).')
  expect(program.output).toMatch(/npm was told ci .*--no-audit --no-fund/)
  expect(program.output).toContain('Next: npm run lesson 1')
  expect(existsSync(copy.path('.workshop/install.lock'))).toBe(false)
})

test('packages of another version are installed anew', async () => {
  copy.write('node_modules/express/package.json', '{"version": "4.0.0"}')
  const program = start({ then: 'install' })
  expect(await program.ended).toBe(0)
  expect(program.output).toContain('npm was told ci')
})

test('an install that fails says what to type', async () => {
  const program = start({ then: 'fail' })
  expect(await program.ended).toBe(2)
  expect(program.output).toContain('npm ci failed (it ended with 1)')
  expect(program.output).toContain('type:\n\n  npm ci\n')
  expect(existsSync(copy.path('.workshop/install.lock'))).toBe(false)
})

test('of two starts at once one installs, and the other waits and goes on', async () => {
  const first = start({ then: 'wait, then install' })
  await first.seen(/npm was told ci/)
  const second = start({ then: 'fail' })
  await second.seen(/Another start of the workshop \(process (\d+)\) is installing/)
  copy.write('go', '')
  expect(await Promise.all([first.ended, second.ended])).toEqual([0, 0])
  expect(second.output).not.toContain('npm was told')
})

test('the lock of a start that was killed is taken over', async () => {
  const { pid } = spawnSync(process.execPath, ['--version'])
  copy.write('.workshop/install.lock/pid', String(pid))
  const program = start({ then: 'install' })
  expect(await program.ended).toBe(0)
})

test.skipIf(process.platform === 'win32')(
  'Ctrl-C ends an install, and leaves no lock',
  async () => {
    const program = start({ then: 'wait, then install' })
    await program.seen(/npm was told ci/)
    program.kill('SIGINT')
    expect(await program.ended).toBe(130)
    expect(existsSync(copy.path('.workshop/install.lock'))).toBe(false)
  },
)

test('a Node that is too old is refused in one sentence', async () => {
  const pretend = `Object.defineProperty(process, 'versions', { value: { node: '18.20.0' } })`
  const program = start({
    then: 'fail',
    env: { NODE_OPTIONS: `--import "data:text/javascript,${encodeURIComponent(pretend)}"` },
  })
  expect(await program.ended).toBe(2)
  expect(program.output).toMatch(
    /^The workshop needs Node 20\.19 or newer, and this is Node 18\.20\.0\./,
  )
})

/** Starts `npm run lesson` with an npm that does as it is told, for there is no registry in a test. */
function start({ then, env }: { then: keyof typeof NPM; env?: NodeJS.ProcessEnv }): Program {
  const npm = copy.path(`npm ${then}`, 'npm-cli.cjs')
  mkdirSync(join(npm, '..'), { recursive: true })
  writeFileSync(npm, `console.log('npm was told', ...process.argv.slice(2))\n${NPM[then]}`)
  return run(copy, ['lesson'], { npm_execpath: npm, ...env })
}

const INSTALL = `
  const fs = require('node:fs')
  fs.rmSync('node_modules', { recursive: true, force: true })
  fs.symlinkSync(${JSON.stringify(join(ROOT, 'node_modules'))}, 'node_modules', 'junction')
`
const NPM = {
  install: INSTALL,
  fail: 'process.exitCode = 1',
  'wait, then install': `
    const wait = setInterval(() => {
      if (!require('node:fs').existsSync('go')) return
      clearInterval(wait)
      ${INSTALL}
    }, 10)
  `,
}
