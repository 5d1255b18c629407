import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { grade } from '../../workshop/grader/grade.ts'
import { renderVerdict } from '../../workshop/verdict/render.ts'
import { solutionsFolder } from '../../workshop/lessons/catalogue.ts'
import { nginx } from '../../workshop/tools/proxies.ts'
import { painter } from '../../workshop/terminal/colour.ts'

// Tests the grading of lesson 4 on a machine without nginx.
beforeEach(() => void vi.spyOn(nginx, 'find').mockReturnValue(undefined))
afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
})

test.each([
  { where: 'outside CI the other checks decide', CI: '', outcome: 'pass' },
  { where: 'in CI this is a failure', CI: 'true', outcome: 'fail' },
])('checks that need nginx are named but not graded: $where', async ({ CI, outcome }) => {
  vi.stubEnv('CI', CI)
  const verdict = await gradeTask('4.3')
  expect(verdict.checks.map(({ state }) => state)).toEqual([
    'passed',
    'passed',
    'passed',
    'not run',
    'passed',
  ])
  expect(verdict.outcome).toBe(outcome)
  const text = renderVerdict(verdict, { paint: painter(false), width: 100, workName: 'solutions' })
  expect(text).toContain('get through the real nginx (not graded: nginx is not installed)')
  expect(text).toContain('3/4 core · 1/1 edge case, 1 not graded')
  expect(text).toContain('There is no nginx to grade them with: npm run setup')
})

test('a task with only checks that need nginx does not pass', async () => {
  expect((await gradeTask('4.5')).outcome).toBe('fail')
})

function gradeTask(only: string): ReturnType<typeof grade> {
  return grade({ lesson: 4, work: solutionsFolder, only, seed: 1, skipTypes: true })
}
