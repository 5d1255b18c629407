import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { grade } from '../../workshop/grader/grade.ts'
import { solutionsFolder } from '../../workshop/lessons/catalogue.ts'
import { redisServer } from '../../workshop/tools/redis.ts'

// Tests the grading of lesson 9 on a machine without redis-server.
beforeEach(() => void vi.spyOn(redisServer, 'find').mockReturnValue(undefined))
afterEach(() => void vi.restoreAllMocks())

test('every check runs on the embedded Redis, also with processes', async () => {
  for (const only of ['9.5', '9.6']) {
    const { checks, outcome } = await grade({
      lesson: 9,
      work: solutionsFolder,
      only,
      seed: 1,
      skipTypes: true,
    })
    expect(checks.filter(({ state }) => state !== 'passed')).toEqual([])
    expect(outcome).toBe('pass')
  }
})
