import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { grade } from '../../workshop/grader/grade.ts'
import { solutionsFolder } from '../../workshop/lessons/catalogue.ts'

const scratch = mkdtempSync(join(tmpdir(), 'uncaught-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

// After the first failure, checks run concurrently, so it is not obvious which check caused an uncaught error.
test('an uncaught error fails only the checks that caused it', async () => {
  const name = '01-raw-chunks/server.ts'
  const solution = readFileSync(join(solutionsFolder, name), 'utf8')
  const leaves = "void Promise.reject(new Error('stray'))"
  mkdirSync(join(scratch, '01-raw-chunks'))
  writeFileSync(
    join(scratch, name),
    solution.replace('() => visit.abort()', `() => {\n${leaves}\nvisit.abort()\n}`),
  )
  const { checks } = await grade({ lesson: 1, work: scratch, base: solutionsFolder, seed: 1 })
  const failed = checks.filter(({ state }) => state === 'failed').map(({ id }) => id)
  // The checks in which a client disconnects fail, although others have failed before them.
  expect(failed).toEqual(expect.arrayContaining(['1.3a', '1.4c']))
  // The checks of the client are not affected.
  expect(failed.filter((id) => /^1\.[67]/.test(id))).toEqual([])
})
