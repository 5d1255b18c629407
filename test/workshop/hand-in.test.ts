import { EventEmitter, once } from 'node:events'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { cachedGrade, cacheGrade } from '../../workshop/class/grade-cache.ts'
import { gradeInProcess } from '../../workshop/class/grade-in-process.ts'
import type { Grade } from '../../workshop/class/grade.ts'
import { nginxFor } from '../../workshop/grader/nginx.ts'
import { solutionsFolder } from '../../workshop/lessons/catalogue.ts'
import { storeFolder } from '../../workshop/store.ts'
import { nginx } from '../../workshop/tools/proxies.ts'
import { copyOfWorkshop, type Copy } from './copy.ts'
import { endPrograms, run } from './program.ts'

// Tests that no hand-in stops the grading of the others, or looks like a fault of the workshop.

const spawned = vi.hoisted(() => ({ instead: undefined as unknown }))
vi.mock('node:child_process', async (original) => {
  const real = await original<typeof import('node:child_process')>()
  const spawn = (...args: Parameters<typeof real.spawn>): unknown =>
    spawned.instead ?? real.spawn(...args)
  return { ...real, spawn }
})

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hand-in '))
})
afterEach(() => {
  spawned.instead = undefined
  vi.useRealTimers()
  vi.restoreAllMocks()
  rmSync(folder, { recursive: true, force: true })
})

describe('a grading process', () => {
  /** A process that does nothing by itself. */
  function fakeProcess() {
    const child = Object.assign(new EventEmitter(), {
      pid: undefined as number | undefined,
      stderr: new EventEmitter(),
      send() {},
    })
    spawned.instead = child
    return child
  }
  const order = { lesson: 1, work: '', seed: 1 }

  test('that shows signs of life indefinitely is ended', async () => {
    vi.useFakeTimers()
    const child = fakeProcess()
    const result = gradeInProcess(order, new AbortController().signal)
    for (let second = 0; second < 900; second += 1) {
      child.emit('message', {})
      vi.advanceTimersByTime(1000)
    }
    child.emit('close', null, 'SIGKILL')
    expect(await result).toBe('it was not finished after 15 minutes')
  })

  test('whose pipe is held open by another process does not hold up the others', async () => {
    vi.useFakeTimers()
    const child = fakeProcess()
    const result = gradeInProcess(order, new AbortController().signal)
    child.emit('exit', 1, null)
    vi.advanceTimersByTime(5000)
    expect(await result).toBe('the process that graded it ended: exit code 1')
  })

  test('that fails says why', async () => {
    const child = fakeProcess()
    const result = gradeInProcess(order, new AbortController().signal)
    child.emit('message', { problem: 'x cannot be written, because the disk is full.' })
    child.emit('close', 0, null)
    expect(await result).toBe('x cannot be written, because the disk is full.')
  })
})

test.for(['stuck', 'error', 'not graded'] as const)('the grade "%s" is not kept', (outcome) => {
  const grade: Grade = { lesson: 1, outcome, checks: [], leftOut: [] }
  cacheGrade('a test', grade)
  expect(cachedGrade('a test')).toBeUndefined()
})

test('the grades "pass" and "fail" are kept', () => {
  for (const outcome of ['pass', 'fail'] as const) {
    const grade: Grade = { lesson: 1, outcome, checks: [], leftOut: [] }
    cacheGrade('a test', grade)
    expect(cachedGrade('a test')).toEqual(grade)
  }
  rmSync(join(storeFolder, 'class/a test.json'))
})

test.skipIf(!nginx.find())('an nginx that does not start is named, and tried again', async () => {
  const find = vi.spyOn(nginx, 'find').mockReturnValue(join(folder, 'nginx'))
  writeFileSync(
    join(folder, 'nginx'),
    '#!/bin/sh\n[ "$1" = -v ] || { echo "no nginx today"; exit 1; }\n',
    { mode: 0o755 },
  )
  await expect(nginxFor(4, solutionsFolder)).rejects.toThrow(
    'nginx does not start on this machine. It says: no nginx today',
  )
  find.mockRestore()
  const started = await nginxFor(4, solutionsFolder)
  expect(started.ports.problem).toBeUndefined()
  await started.stop()
})

test.skipIf(!nginx.find())(
  'an nginx.conf that is no file, or is huge, is a problem of the work',
  async () => {
    const conf = join(folder, '04-buffering/nginx.conf')
    mkdirSync(conf, { recursive: true })
    const problem = 'Your nginx.conf is not a file of at most 1 MB.'
    expect((await nginxFor(4, folder)).ports.problem).toBe(problem)
    rmSync(conf, { recursive: true })
    symlinkSync('/dev/zero', conf)
    expect((await nginxFor(4, folder)).ports.problem).toBe(problem)
    rmSync(conf)
    writeFileSync(conf, '')
    truncateSync(conf, 50e9)
    expect((await nginxFor(4, folder)).ports.problem).toBe(problem)
  },
)

describe.skipIf(process.platform === 'win32')('npm test with the work of somebody else', () => {
  let copy: Copy
  beforeAll(() => {
    copy = copyOfWorkshop({ harness: true })
  })
  afterEach(endPrograms)
  afterAll(() => copy.remove())

  test('has the limits of npm run grade', async () => {
    const work = join(folder, '01-raw-chunks')
    cpSync(join(solutionsFolder, '01-raw-chunks'), work, { recursive: true })
    symlinkSync(solutionsFolder, join(work, 'link'))
    const socket = createServer().listen(join(work, 'socket'))
    await once(socket, 'listening')
    writeFileSync(join(work, 'sparse'), '')
    truncateSync(join(work, 'sparse'), 50e9)
    writeFileSync(join(work, 'two\nlines'), '')
    const program = run(copy, ['test', 'lesson1.1a', folder])
    expect(await program.ended).toBe(0)
    for (const what of [
      'link is a link',
      'socket is neither a file nor a folder',
      'sparse is larger than 1 MB',
      'two␊lines has a name with invalid characters',
    ]) {
      expect(program.output).toContain(`Left out: ${what}\n`)
    }
    expect(readdirSync(copy.path('.workshop/sandboxes'))).toEqual([])
    socket.close()
  })

  test('keeps only the beginning of what the work prints', async () => {
    const work = join(folder, '01-raw-chunks')
    cpSync(join(solutionsFolder, '01-raw-chunks'), work, { recursive: true })
    const prints = `for (let n = 0; n < 400; n += 1) {
      console.log(n, 'x'.repeat(1e6))
      await new Promise(setImmediate)
    }\n`
    const server = join(work, 'server.ts')
    writeFileSync(server, prints + readFileSync(server, 'utf8'))
    // The work prints twice as much as the grader has memory.
    const program = run(copy, ['test', 'lesson1.1a', folder], {
      NODE_OPTIONS: '--max-old-space-size=200',
    })
    expect(await program.ended).toBe(0)
  })

  test('npm run lesson does not copy a file with holes that claims to have 50 GB', async () => {
    const work = join(folder, '01-raw-chunks')
    cpSync(join(solutionsFolder, '01-raw-chunks'), work, { recursive: true })
    writeFileSync(join(work, 'sparse'), '')
    truncateSync(join(work, 'sparse'), 50e9)
    const program = run(copy, ['lesson', '1', folder], { PORT: '0', PAGE_PORT: '0' })
    await program.seen(/sparse is larger than 10 MB, so the work is not copied\./)
    program.kill('SIGINT')
    expect(await program.ended).toBe(130)
  })

  test('that has too many files is refused in a sentence', async () => {
    mkdirSync(join(folder, '01-raw-chunks'))
    for (let n = 0; n < 201; n += 1) writeFileSync(join(folder, '01-raw-chunks', `${n}`), '')
    const program = run(copy, ['test', 'lesson1', folder])
    expect(await program.ended).toBe(2)
    expect(program.output).toBe('01-raw-chunks has more than 200 files.\n')
  })

  test('npm run grade prints the grades even if the tables cannot be written', async () => {
    mkdirSync(join(folder, 'class/ada/01-raw-chunks'), { recursive: true })
    mkdirSync(join(folder, 'grades.csv'))
    const program = run(copy, ['grade', join(folder, 'class'), 'to', folder])
    expect(await program.ended).toBe(2)
    expect(program.output).toMatch(/^ada +0\/\d+ not begun$/m)
    expect(program.output).toMatch(
      /The tables were not written\. .*grades\.csv cannot be written, because a folder/,
    )
    expect(readdirSync(folder).toSorted()).toEqual(['class', 'grades.csv'])
  })
})
