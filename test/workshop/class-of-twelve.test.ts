import {
  copyFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { lessons, solutionsFolder } from '../../workshop/lessons/catalogue.ts'
import { stubsOf } from '../../workshop/lessons/stubs.ts'
import { copyOfWorkshop, type Copy } from './copy.ts'
import { endPrograms, run } from './program.ts'
import { zipOf } from './zip-of.ts'

// Grades a class as it is handed in: folders and archives, four of them odd, and a stray lesson among them.

const L1 = '01-raw-chunks'

let copy: Copy
let hall: string
beforeAll(() => {
  copy = copyOfWorkshop({ harness: true })
  hall = mkdtempSync(join(tmpdir(), 'a cläss '))
})
afterEach(endPrograms)
afterAll(() => {
  copy.remove()
  rmSync(hall, { recursive: true, force: true, maxRetries: 5 })
})

/** Hands in the solution of lesson 1, edited. */
function handIn(who: string, edit = (server: string) => server): void {
  const folder = join(hall, 'class', who, L1)
  cpSync(join(solutionsFolder, L1), folder, { recursive: true })
  const server = join(folder, 'server.ts')
  writeFileSync(server, edit(readFileSync(server, 'utf8')))
}

/** Hands in the stubs of every lesson. */
function handInStubs(who: string): void {
  for (const lesson of lessons()) {
    const folder = join(hall, 'class', who, lesson.folder)
    mkdirSync(folder, { recursive: true })
    for (const { name, text } of stubsOf(lesson)) writeFileSync(join(folder, name), text)
  }
}

const withTheWrongType = (server: string): string =>
  server.replace('application/x-ndjson', 'text/plain')

test('a class of twelve is graded, and the table makes sense', async () => {
  handIn('ada')
  handIn('ben', withTheWrongType)
  handIn('cem', withTheWrongType)
  // Dan's code has a syntax error.
  handIn('dan', (server) => `const = 3\n${server}`)
  // Eve has handed in another folder, and Fay only a file.
  cpSync(copy.path('feed'), join(hall, 'class/eve/feed'), { recursive: true })
  copyFileSync(join(solutionsFolder, L1, 'server.ts'), join(hall, 'class/fay.ts'))
  // Gus has handed in an archive, which his course platform has put into a folder.
  handInStubs('gus/lessons')
  handIn('gus/lessons')
  await zipOf(join(hall, 'class/gus'), join(hall, 'class/Gus_4711/lessons.zip'))
  rmSync(join(hall, 'class/gus'), { recursive: true })
  handInStubs('hal')
  handIn('ida')
  // Jon has written only the client.
  handInStubs('jon')
  copyFileSync(join(solutionsFolder, L1, 'client.ts'), join(hall, 'class/jon', L1, 'client.ts'))
  handIn('kim')
  writeFileSync(join(hall, 'class/lou.7z'), '')
  handIn('.')
  writeFileSync(join(hall, 'class/names.txt'), '')

  const program = run(copy, ['grade', 'class', 'to', 'results'], { INIT_CWD: hall, SEED: '1' })
  expect(await program.ended).toBe(1)
  const [, report = ''] = program.output.split(/\n\n(?= +lesson 1)/)
  const told = report
    .replaceAll(/\d+\/\d+/g, '…/…')
    .replace(/, \d+ gradings in \d+ s, \d+ of/, ', … gradings in … s, … of')
  expect(told).toMatchInlineSnapshot(`
    "               lesson 1
    01-raw-chunks  not graded
    ada            …/… passed · …/… edge
    ben            …/… not yet · 1.1b · …/… edge
    cem            …/… not yet · 1.1b · …/… edge
    dan            error
    eve            not graded
    fay            not graded
    Gus_4711       …/… passed · …/… edge
    hal            …/… not begun
    ida            …/… passed · …/… edge
    jon            …/… not yet · 1.1a · …/… edge
    kim            …/… passed · …/… edge
    lou            not graded

    passed         4 of 9

    01-raw-chunks: not graded: it is the folder of a lesson, so its owner is unknown
    dan, lesson 1: class/dan/01-raw-chunks/server.ts:1:7: Your files could not be loaded. Unexpected
      token
    eve: not graded: it contains no lesson, such as 01-raw-chunks, but feed/index.ts, feed/quake.ts and
      feed/replay.ts
    fay: not graded: fay.ts is a file, and not a folder with lessons
    lou: not graded: lou.7z is not a zip archive, so unpack it first

    Stopped by
      1.1b, the Content-Type announces newline-delimited JSON: 2 people (ben, cem)
      task 1.1, not written yet: 1 person (jon)

    To see why somebody failed, for example ben: SEED=1 npm test -- lesson1 class/ben

    13 hand-ins, … gradings in … s, … of them from the cache · SEED=1
    Written: results/grades.csv, results/grades.json, and a text for each person in results/feedback
    "
  `)

  const texts = readdirSync(join(hall, 'results/feedback'))
  expect(texts.toSorted()).toHaveLength(12)
  expect(texts).not.toContain(`${L1}.txt`)
  const { totals } = JSON.parse(readFileSync(join(hall, 'results/grades.json'), 'utf8')) as {
    totals: object[]
  }
  expect(totals).toMatchObject([{ lesson: 1, handedIn: 9, passed: 4 }])
})
