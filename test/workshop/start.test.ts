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

test('a fresh clone installs its packages and then runs the command', async () => {
  const program = start({ then: 'install' })
  expect(await program.ended).toBe(0)
  expect(program.output).toContain('Installing the packages of the workshop (npm ci).')
  expect(program.output).toMatch(/npm was told ci .*--no-audit --no-fund/)
  expect(program.output).toContain('Next: npm run lesson 1')
  expect(existsSync(copy.path('.workshop/install.lock'))).toBe(false)
})

test('packages in the wrong version are installed again', async () => {
  copy.write('node_modules/express/package.json', '{"version": "4.0.0"}')
  const program = start({ then: 'install' })
  expect(await program.ended).toBe(0)
  expect(program.output).toContain('npm was told ci')
})

test('a failed install says what to run', async () => {
  const program = start({ then: 'fail' })
  expect(await program.ended).toBe(2)
  expect(program.output).toContain('npm ci failed (exit code 1)')
  expect(program.output).toContain('run:\n\n  npm ci\n')
  expect(existsSync(copy.path('.workshop/install.lock'))).toBe(false)
})

test('of two starts at the same time, one installs and the other waits', async () => {
  const first = start({ then: 'wait, then install' })
  await first.seen(/npm was told ci/)
  const second = start({ then: 'fail' })
  await second.seen(/Another process of the workshop \((\d+)\) is installing/)
  copy.write('go', '')
  expect(await Promise.all([first.ended, second.ended])).toEqual([0, 0])
  expect(second.output).not.toContain('npm was told')
})

test('the lock of a killed process is taken over', async () => {
  const { pid } = spawnSync(process.execPath, ['--version'])
  copy.write('.workshop/install.lock/pid', String(pid))
  const program = start({ then: 'install' })
  expect(await program.ended).toBe(0)
})

test.skipIf(process.platform === 'win32')(
  'Ctrl-C ends an install and removes the lock',
  async () => {
    const program = start({ then: 'wait, then install' })
    await program.seen(/npm was told ci/)
    program.kill('SIGINT')
    expect(await program.ended).toBe(130)
    expect(existsSync(copy.path('.workshop/install.lock'))).toBe(false)
  },
)

test('a version of Node that is too old is refused with one sentence', async () => {
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

/** Starts `npm run lesson` with a fake npm, because a test has no registry. */
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
