import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import type { Verdict } from '../../protocol/verdict.ts'
import { graderPool } from '../../workshop/grader/grader-pool.ts'
import { solutionsFolder } from '../../workshop/lessons/catalogue.ts'

// The proof relies on this: many works are graded in one process, and each work gets its own verdict.

const scratch = mkdtempSync(join(tmpdir(), 'warm-'))
const grader = graderPool({ lesson: 1, seed: 1, size: 2 })
afterAll(async () => {
  await grader.end()
  rmSync(scratch, { recursive: true, force: true })
})

const solution = readFileSync(join(solutionsFolder, '01-raw-chunks/server.ts'), 'utf8')
const wrongType = solution.replace('application/x-ndjson', 'text/plain')
const CONTENT_TYPE = '1.1b'

test('each work gets its own verdict, in the same process', async () => {
  const pids = []
  for (const [text, fails] of [
    [wrongType, CONTENT_TYPE],
    [solution, undefined],
    [wrongType, CONTENT_TYPE],
  ] as const) {
    const { verdict, pid } = await graded(text, fails)
    expect(firstFailed(verdict)).toBe(fails)
    pids.push(pid)
  }
  expect(pids).toEqual([expect.stringMatching(/^\d+$/), pids[0], pids[0]])
})

test('the leftovers of a work do not affect later verdicts', async () => {
  await graded(`globalThis.isSpoiled = true\n${solution}`)
  const spoilable = `if (globalThis.isSpoiled) throw new Error('spoiled')\n${solution}`
  const { verdict } = await graded(spoilable)
  expect(verdict.outcome).toBe('pass')
})

test('an unexpected verdict comes from a separate process, and the next verdict from a new one', async () => {
  const { pid: before } = await graded(solution)
  const { verdict, pid: alone } = await graded(wrongType)
  expect(firstFailed(verdict)).toBe(CONTENT_TYPE)
  const { pid: after } = await graded(solution)
  expect(new Set([before, alone, after]).size).toBe(3)
})

test('a work that kills its process does not affect later works', async () => {
  const { verdict } = await graded(`process.kill(process.pid, 'SIGKILL')\n${solution}`)
  expect(verdict.outcome).toBe('error')
  expect((await graded(solution)).verdict.outcome).toBe('pass')
})

/** Grades a server.ts in the pool. @param fails the check that is expected to fail, if any */
async function graded(text: string, fails?: string): Promise<{ verdict: Verdict; pid: string }> {
  const work = mkdtempSync(join(scratch, 'work-'))
  mkdirSync(join(work, '01-raw-chunks'))
  const code = `// @ts-nocheck\nconsole.log('in process ' + process.pid)\n${text}`
  writeFileSync(join(work, '01-raw-chunks/server.ts'), code)
  const verdict = await grader.grade(
    { lesson: 1, work, base: solutionsFolder, only: CONTENT_TYPE, seed: 1, skipTypes: true },
    (came) => came.problem === undefined && firstFailed(came) === fails,
  )
  const pid = /in process (\d+)/.exec(verdict.printed)?.[1] ?? 'nobody knows'
  return { verdict, pid }
}

function firstFailed({ checks }: Verdict): string | undefined {
  return checks.find(({ state }) => state === 'failed')?.id
}
