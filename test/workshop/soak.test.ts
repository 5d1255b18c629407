import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { filledSandbox } from '../../workshop/grader/sandbox.ts'
import { lessonNumbered, solutionsFolder } from '../../workshop/lessons/catalogue.ts'
import { soakTable } from '../../workshop/soak/report.ts'
import { parseSoakArgs } from '../../workshop/soak/soak-args.ts'
import { leftovers, soak, SOAKED } from '../../workshop/soak/soak.ts'

const FOLDER = lessonNumbered(2)!.folder

// Two seconds are too short for a warm-up, so the heap is not compared here.
test.concurrent('a server whose clients have left is back to what it held before', async () => {
  const soaked = await soak({
    lesson: 2,
    folder: join(solutionsFolder, FOLDER),
    ms: 2000,
    settleMs: 2000,
  })
  expect(soaked.visits).toBeGreaterThan(0)
  expect(soaked.peak.responses).toBeGreaterThan(0)
  expect(leftovers(soaked).filter((what) => what !== 'heapMB')).toEqual([])
  expect(soakTable([soaked])).toContain(`| 2 | ${soaked.visits} | before | 0 |`)
})

test.concurrent('a heartbeat that is never cleared is left over', async () => {
  const sandbox = await filledSandbox(solutionsFolder)
  const folder = join(sandbox.folder, FOLDER)
  const file = join(folder, 'server.ts')
  writeFileSync(file, readFileSync(file, 'utf8').replace('clearInterval(heartbeat)', ''))
  try {
    const soaked = await soak({ lesson: 2, folder, ms: 2000, settleMs: 1000 })
    expect(leftovers(soaked)).toEqual(expect.arrayContaining(['timers', 'responses']))
  } finally {
    await sandbox.remove()
  }
})

test.each([
  [[], { lessons: SOAKED, ms: 600_000 }],
  [['1', 'minute'], { lessons: SOAKED, ms: 60_000 }],
  [['lesson5', '30', 'seconds', 'lesson', '9'], { lessons: [5, 9], ms: 30_000 }],
  [['lesson3'], { problem: 'Only these lessons have a server to soak: 2, 4, 5, 7, 8, 9.' }],
  [['soon'], { problem: expect.stringContaining('Unknown word "soon"') }],
])('the words %j are understood', (words, expected) => {
  expect(parseSoakArgs(words)).toEqual(expected)
})
