import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { startEmbeddedRedis, type EmbeddedRedis } from '../../wire/embedded-redis.ts'
import { learnerProcesses, type LearnerProcesses } from '../../workshop/grader/learner-processes.ts'
import { filledSandbox, type Sandbox } from '../../workshop/grader/sandbox.ts'
import { lessonNumbered, solutionsFolder } from '../../workshop/lessons/catalogue.ts'
import { stubsOf } from '../../workshop/lessons/stubs.ts'
import { ROOT } from '../../workshop/root.ts'
import { untilGone } from './until-gone.ts'

// Tests the processes in which lesson 9 runs a learner's server.

const L9 = '09-scale-out'

let sandbox: Sandbox
let redis: EmbeddedRedis
let processes: LearnerProcesses
beforeEach(async () => {
  ;[sandbox, redis] = await Promise.all([filledSandbox(solutionsFolder), startEmbeddedRedis()])
  processes = learnerProcesses(sandbox.folder, L9)
})
afterEach(async () => {
  await processes.end()
  await Promise.all([sandbox.remove(), redis.stop()])
})

test('a process serves clients, and SIGTERM stops it', async () => {
  const id = await processes.prepare()
  const port = await processes.start(id, { redisUrl: url() })
  const response = await fetch(`http://127.0.0.1:${port}/events`)
  expect(response.headers.get('content-type')).toContain('text/event-stream')
  processes.signal(id, 'SIGTERM')
  expect(await processes.exitOf(id)).toEqual({ code: 0, signal: null, printed: '' })
  expect(await response.text()).toContain('retry: ')
})

test('a killed process has ended, and the next one has been started ahead', async () => {
  const id = await processes.prepare()
  await processes.start(id, { redisUrl: url() })
  processes.signal(id, 'SIGKILL')
  expect(await processes.exitOf(id)).toMatchObject({ code: null, signal: 'SIGKILL' })
  const next = await processes.prepare()
  expect(await processes.start(next, { redisUrl: url() })).toBeGreaterThan(0)
})

test('a stub says what to write', async () => {
  for (const { name, text } of stubsOf(lessonNumbered(9)!)) {
    writeFileSync(join(sandbox.folder, L9, name), text)
  }
  await expect(started()).rejects.toThrow(/^lesson 9, task 9\.6: write /)
})

describe('the work may not', () => {
  test.each([
    [
      'import what a lesson may not import',
      "import 'node:fs'\n",
      'process.ts:1: a lesson may import',
    ],
    ['have a syntax error', 'const = 1\n', 'process.ts:1:7'],
    ['end its process', 'process.exit(3)\n', 'the process ended: '],
    ['throw', "throw new TypeError('no')\n", 'no'],
    ['kill another process', 'process.kill(process.ppid, 0)\n', 'kill EPERM'],
    [
      'take a builtin from the process',
      "process.getBuiltinModule('fs').readFileSync('/etc/passwd')\n",
      'process.getBuiltinModule is not a function',
    ],
    [
      'forge a port',
      "process.send!({ port: 'no' })\n",
      'startProcess() did not resolve to an object with a port',
    ],
  ])('%s', async (_what, code, says) => {
    const file = join(sandbox.folder, L9, 'process.ts')
    writeFileSync(file, code + readFileSync(file, 'utf8'))
    await expect(started()).rejects.toThrow(says)
  })
})

test('the end of a run kills its processes, and the next run compiles its own work', async () => {
  const id = await processes.prepare()
  await processes.start(id, { redisUrl: url() })
  await processes.endRun()
  expect(await processes.exitOf(id)).toMatchObject({ signal: 'SIGKILL' })
  await sandbox.fill(solutionsFolder)
  writeFileSync(
    join(sandbox.folder, L9, 'process.ts'),
    "export async function startProcess() { throw new Error('the next work') }",
  )
  await expect(started()).rejects.toThrow('the next work')
})

test.skipIf(process.platform === 'win32')('no process outlives a killed grader', async () => {
  const code = `
    import { learnerProcesses } from './workshop/grader/learner-processes.ts'
    const processes = learnerProcesses(${JSON.stringify(sandbox.folder)}, '${L9}')
    const id = await processes.prepare()
    const port = await processes.start(id, { redisUrl: '${url()}' })
    process.stdout.write('http://127.0.0.1:' + port)`
  const grader = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const [address] = await once(grader.stdout, 'data')
  const response = await fetch(`${String(address)}/events`)
  grader.kill('SIGKILL')
  await untilGone(grader.pid!)
  await expect(response.text()).rejects.toThrow('terminated')
})

async function started(): Promise<number> {
  return processes.start(await processes.prepare(), { redisUrl: url() })
}

function url(): string {
  return `redis://127.0.0.1:${redis.port}`
}
