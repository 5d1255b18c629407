import { once } from 'node:events'
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
} from 'node:fs'
import { existsSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import {
  afterAll,
  afterEach,
  beforeAll,
  beforeEach,
  describe,
  expect,
  onTestFinished,
  test,
  vi,
} from 'vitest'
import { parseGradeArgs } from '../../workshop/class/grade-args.ts'
import { gradeOfStubs, notGraded, type Grade } from '../../workshop/class/grade.ts'
import { hashOf, isUntouched, readSubmission } from '../../workshop/class/submission.ts'
import { peopleIn, type Person } from '../../workshop/class/people.ts'
import { csv } from '../../workshop/class/export.ts'
import { classTable, howToSeeWhy, notes } from '../../workshop/class/class-table.ts'
import { lessonNumbered, lessons, solutionsFolder } from '../../workshop/lessons/catalogue.ts'
import { stubsOf } from '../../workshop/lessons/stubs.ts'
import { painter } from '../../workshop/terminal/colour.ts'
import { copyOfWorkshop, type Copy } from './copy.ts'
import { zipOf } from './zip-of.ts'
import { endPrograms, run, type Program } from './program.ts'

const L1 = '01-raw-chunks'
const solution = readFileSync(join(solutionsFolder, L1, 'server.ts'), 'utf8')
const lesson1 = lessonNumbered(1)!

/** The folder into which people hand in their work. */
let hall: string
beforeEach(() => {
  hall = mkdtempSync(join(tmpdir(), 'a cläss '))
  vi.stubEnv('INIT_CWD', hall)
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(hall, { recursive: true, force: true, maxRetries: 5 })
})

function submission(path: string, text = ''): void {
  mkdirSync(dirname(join(hall, path)), { recursive: true })
  writeFileSync(join(hall, path), text)
}

describe('the people in folders', () => {
  const found = async (): Promise<Record<string, string>> =>
    Object.fromEntries(
      (await peopleIn([hall])).map(({ name, folder, problem }) => [
        name,
        problem ?? folder.slice(hall.length + 1).replaceAll('\\', '/'),
      ]),
    )

  test('a folder laid out like lessons/ belongs to one person, and other folders contain a folder for each person', async () => {
    submission(`ada/${L1}/server.ts`)
    submission(`brook/lessons/${L1}/server.ts`)
    submission(`carl/workshop-main/lessons/${L1}/server.ts`)
    submission('dora/notes.txt')
    submission('names.txt')
    submission('.hidden/file')
    expect(await found()).toEqual({
      ada: 'ada',
      brook: 'brook/lessons',
      carl: 'carl/workshop-main/lessons',
      dora: `it contains no lesson, such as ${L1}, but notes.txt`,
    })
    const [ada] = await peopleIn([join(hall, 'ada')])
    expect(ada).toMatchObject({ name: 'ada', folder: join(hall, 'ada') })
    const [brook] = await peopleIn([join(hall, 'brook/lessons')])
    expect(brook).toMatchObject({ name: 'brook', folder: join(hall, 'brook/lessons') })
  })

  test('work that cannot be read is named, and links are not followed', async () => {
    submission('ada.zip')
    submission('dora.tar.gz')
    submission('emil.ts')
    mkdirSync(join(hall, 'finn/lessons'), { recursive: true })
    mkdirSync(join(hall, 'feedback'))
    symlinkSync(solutionsFolder, join(hall, 'brook'), 'junction')
    mkdirSync(join(hall, 'carl'))
    symlinkSync(solutionsFolder, join(hall, 'carl/lessons'), 'junction')
    expect(await found()).toEqual({
      ada: expect.stringMatching(/^it cannot be unpacked: /),
      brook: 'it is a link, and links are not followed',
      carl: `it contains no lesson, such as ${L1}, but lessons`,
      'dora.tar': 'dora.tar.gz is not a zip archive, so unpack it first',
      emil: 'emil.ts is a file, and not a folder with lessons',
      finn: `it contains no lesson, such as ${L1}, but lessons/`,
    })
  })

  test('the order of folders does not matter, a repeated folder counts once, and two people of one name are distinguished', async () => {
    submission(`monday/ada/${L1}/server.ts`)
    submission(`tuesday/ada/${L1}/server.ts`)
    submission(`tuesday/brook/${L1}/server.ts`)
    const [monday, tuesday] = [join(hall, 'monday'), join(hall, 'tuesday')]
    const people = await peopleIn([tuesday, monday, tuesday])
    expect(people.map(({ name }) => name)).toEqual([
      'brook',
      join('monday', 'ada'),
      join('tuesday', 'ada'),
    ])
    expect(await peopleIn([monday, tuesday])).toEqual(people)
  })

  test('archives are unpacked, alone, in the folder of a class, and in the folder of a person', async () => {
    submission('work/lessons/names.txt')
    submission(`work/lessons/${L1}/server.ts`)
    await zipOf(join(hall, 'work'), join(hall, 'class/ada.zip'))
    await zipOf(join(hall, 'work'), join(hall, 'class/Brook_4711/lessons.zip'))
    const people = await peopleIn([join(hall, 'class'), join(hall, 'class/ada.zip')])
    expect(people.map(({ name }) => name)).toEqual(['ada', 'Brook_4711'])
    for (const { folder } of people) expect(readdirSync(folder)).toEqual([L1])
    rmSync(join(hall, 'work/lessons', L1), { recursive: true })
    await zipOf(join(hall, 'work'), join(hall, 'none.zip'))
    expect(await peopleIn([join(hall, 'none.zip')])).toMatchObject([
      { problem: `it contains no lesson, such as ${L1}, but lessons/names.txt` },
    ])
  })

  test('a stray lesson in the folder of a class is named, and hides nobody', async () => {
    submission(`${L1}/server.ts`)
    submission(`ada/${L1}/server.ts`)
    expect(await found()).toEqual({
      [L1]: 'it is the folder of a lesson, so its owner is unknown',
      ada: 'ada',
    })
    rmSync(join(hall, 'ada'), { recursive: true })
    submission('brook.rar')
    expect(Object.keys(await found())).toEqual([L1, 'brook'])
    rmSync(join(hall, L1), { recursive: true })
    submission(`ada/${L1}/server.ts`)
    submission(`lessons/${L1}/server.ts`)
    rmSync(join(hall, 'brook.rar'))
    expect(Object.values(await found())).toEqual(['ada', 'lessons'])
  })

  test('a whole clone belongs to one person, although it has the solutions', async () => {
    submission(`lessons/${L1}/server.ts`)
    submission(`solutions/${L1}/server.ts`)
    submission(`copy/${L1}/server.ts`)
    submission('package.json')
    expect(Object.values(await found())).toEqual(['lessons'])
  })

  test.skipIf(process.platform === 'win32')('a name cannot move the cursor', async () => {
    submission(`a\u001b[2Ja/${L1}/server.ts`)
    expect(Object.keys(await found())).toEqual(['a␛[2Ja'])
  })
})

describe('reading a submission', () => {
  const read = (): ReturnType<typeof readSubmission> => readSubmission(join(hall, 'ada'), lesson1)

  test('reads all files, including those that the learner added', async () => {
    submission(`ada/${L1}/server.ts`, 'one')
    submission(`ada/${L1}/lib/lines.ts`, 'two')
    submission(`ada/${L1}/node_modules/much.js`)
    const { files, leftOut } = await read()
    expect([...files.keys()].toSorted()).toEqual(['lib/lines.ts', 'server.ts'])
    expect(leftOut).toEqual([])
  })

  test('equal files have equal hashes, changed files do not, and stubs count as untouched', async () => {
    for (const { name, text } of stubsOf(lesson1)) submission(`ada/${L1}/${name}`, text)
    const stubs = await read()
    expect(isUntouched(stubs)).toBe(true)
    submission(`ada/${L1}/server.ts`, solution)
    const written = await read()
    expect(isUntouched(written)).toBe(false)
    expect(hashOf(written)).toBe(hashOf(await read()))
    expect(hashOf(written)).not.toBe(hashOf(stubs))
  })

  test('leaves out links, huge files, invalid names, and anything that is not a file', async () => {
    submission(`ada/${L1}/huge.ts`, 'x'.repeat(1_000_001))
    symlinkSync(solutionsFolder, join(hall, 'ada', L1, 'all'), 'junction')
    const expected = ['all is a link', 'huge.ts is larger than 1 MB']
    if (process.platform !== 'win32') {
      symlinkSync(join(solutionsFolder, L1, 'server.ts'), join(hall, 'ada', L1, 'server.ts'))
      submission(`ada/${L1}/two\nlines.ts`)
      const socket = createServer().listen(join(hall, 'ada', L1, 'pipe.ts'))
      await once(socket, 'listening')
      onTestFinished(() => void socket.close())
      expected.push(
        'pipe.ts is neither a file nor a folder',
        'server.ts is a link',
        'two␊lines.ts has a name with invalid characters',
      )
    }
    const { files, leftOut } = await read()
    expect(leftOut.toSorted()).toEqual(expected)
    expect(files.size).toBe(0)
  })

  test('leaves out a whole lesson that is a link', async () => {
    mkdirSync(join(hall, 'ada'))
    symlinkSync(join(solutionsFolder, L1), join(hall, 'ada', L1), 'junction')
    const { files, leftOut } = await read()
    expect(leftOut).toEqual([`${L1} is a link`])
    expect(files.size).toBe(0)
  })

  test.skipIf(process.platform === 'win32')('names files that cannot be read', async () => {
    submission(`ada/${L1}/server.ts`)
    chmodSync(join(hall, 'ada', L1, 'server.ts'), 0)
    // Root can read everything, so become another user for a moment.
    const isRoot = process.getuid?.() === 0
    chmodSync(hall, 0o755)
    if (isRoot) process.seteuid?.(65_534)
    try {
      expect((await read()).leftOut).toEqual(['server.ts cannot be read (EACCES)'])
    } finally {
      if (isRoot) process.seteuid?.(0)
    }
  })

  test('refuses a submission with too many files', async () => {
    for (let n = 0; n < 201; n += 1) submission(`ada/${L1}/${n % 7}/${n}.ts`)
    await expect(read()).rejects.toThrow(`${L1} has more than 200 files`)
  })
})

describe('the arguments', () => {
  const problem = async (...words: string[]): Promise<unknown> =>
    ((await parseGradeArgs(words)) as { problem?: string }).problem

  test('may be folders, lessons, again, and the folder for the tables, in any order', async () => {
    submission(`class/ada/${L1}/server.ts`)
    const asked = await parseGradeArgs(['lesson1', 'class', '2', 'again', 'to', 'tables'])
    if ('problem' in asked) throw new Error(asked.problem)
    expect(asked.people.map(({ name }) => name)).toEqual(['ada'])
    expect(asked.lessons.map(({ number }) => number)).toEqual([1, 2])
    expect(asked).toMatchObject({ isAgain: true, to: join(hall, 'tables') })
    const all = await parseGradeArgs(['class'])
    expect(all).toMatchObject({ lessons: lessons(), isAgain: false, to: hall })
  })

  test('that are impossible are refused with a message that says what is possible', async () => {
    submission(`class/ada/${L1}/server.ts`)
    submission('class.rar')
    mkdirSync(join(hall, 'empty'))
    expect(await problem()).toMatch(
      /^Name the folders to grade\. A folder is laid out like lessons\//,
    )
    expect(await problem('clas')).toMatch(
      /^There is no folder or zip archive "clas"\. .* lesson1, again, to FOLDER/,
    )
    expect(await problem('class.rar')).toBe(
      'class.rar is not a zip archive. Unpack it, and name the unpacked folder.',
    )
    expect(await problem('class', 'to', 'class.rar')).toBe(
      'The tables cannot be saved in class.rar, because it is a file.',
    )
    expect(await problem('empty')).toMatch(/^There is no work in empty\./)
    expect(await problem('class', 'lesson99')).toMatch(/^There is no lesson 99\./)
    expect(await problem('class', '1.2')).toBe('You can only grade whole lessons: 1, not 1.2.')
    expect(await problem('class', 'to')).toBe('Name the folder for the tables: to FOLDER')
  })

  test('cannot name a folder inside a submission for the tables', async () => {
    submission(`class/ada/${L1}/server.ts`)
    expect(await problem('class', 'to', 'class/ada')).toMatch(
      /^The tables cannot be saved in the work of ada/,
    )
    expect(await problem('class', 'to', `class/ada/${L1}`)).toMatch(/cannot be saved in/)
    expect(await problem('class', 'to', 'class')).toBeUndefined()
  })
})

describe('the tables', () => {
  const person = (name: string, problem?: string): Person => ({
    name,
    root: join(hall, name),
    folder: join(hall, name),
    ...(problem && { problem }),
  })
  const failed: Grade = {
    ...gradeOfStubs(1, []),
    checks: gradeOfStubs(1, []).checks.map((check, n) => ({
      ...check,
      state: n === 2 ? 'failed' : 'passed',
    })),
  }

  test('have a row for each person, a column for each check, and no formulas', () => {
    const names = ['=1+1', '+1', '-1', '@sum', '\tx', 'a "quoted", name']
    const graded = [
      ...names.map((name) => ({ person: person(name), grades: [failed] })),
      { person: person('nobody', 'it is packed'), grades: [] },
      { person: person('huge'), grades: [notGraded(1, '=cmd')] },
    ]
    const [head, ...rows] = csv(graded, [lesson1]).replace('\ufeff', '').trimEnd().split('\n')
    expect(head).toMatch(
      /^person,lesson 1,lesson 1 core,lesson 1 edge cases,1\.1a,1\.1b,1\.2a,.*,problem$/,
    )
    expect(rows.map((row) => row.split(',not yet,')[0])).toEqual([
      "'=1+1",
      "'+1",
      "'-1",
      "'@sum",
      "'\tx",
      '"a ""quoted"", name"',
      expect.stringMatching(/^nobody,,,,.*,it is packed$/),
      expect.stringMatching(/^huge,not graded,0,0,not graded,.*,'=cmd$/),
    ])
    expect(rows[0]).toMatch(/,not yet,\d+,\d+,passed,passed,failed,passed,/)
  })

  test('show lessons side by side in the terminal, as far as there is room', () => {
    const graded = [
      { person: person('ada'), grades: [failed, gradeOfStubs(2, [])] },
      { person: person('brook'), grades: [notGraded(1, 'too\nmuch', ['x is a link'])] },
    ]
    const two = [lesson1, lessonNumbered(2)!]
    const wide = classTable(graded, two, { paint: painter(false), width: 100 })
    expect(wide).toMatch(
      /^ +lesson 1 +lesson 2\nada +\d+\/\d+ not yet · 1\.2a · 12\/12 edge {2}0\/\d+ not begun\n/,
    )
    const narrow = classTable(graded, two, { paint: painter(false), width: 40 })
    expect(narrow).toMatch(
      /lesson 1\nada[^]*\n\npassed +0 of 2\n\n +lesson 2\nada[^]*\nbrook +-\n\npassed +0 of 1$/,
    )
    expect(notes(graded, { width: 100 })).toEqual([
      'brook, lesson 1: too much',
      'brook, lesson 1: left out: x is a link',
    ])
  })

  test.skipIf(process.platform === 'win32')(
    'show a command whose arguments a shell takes as they are',
    () => {
      const graded = [{ person: person("$(rm) o'clock"), grades: [failed] }]
      expect(howToSeeWhy(graded, 7)).toEqual([
        "To see why somebody failed, for example $(rm) o'clock: SEED=7 npm test -- lesson1 '$(rm) o'\\''clock'",
      ])
    },
  )
})

describe('a class', () => {
  let copy: Copy
  beforeAll(() => {
    copy = copyOfWorkshop({ harness: true })
  })
  afterEach(endPrograms)
  afterAll(() => copy.remove())

  /** Code that blocks the event loop without using a processor. */
  const HANGS = 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)'
  const first = (code: string): string => `// @ts-nocheck\n${code}\n${solution}`
  const inside = (code: string): string =>
    `// @ts-nocheck\n${solution.replace('const app = express()\n', `const app = express()\n;${code}\n`)}`

  function handInAll(): void {
    const work: Record<string, string> = {
      'a right one': solution,
      'a wrong one': solution.replace('application/x-ndjson', 'text/plain'),
      hangs: first(HANGS),
      'ends everybody': inside(
        "for (const pid of [process.ppid, 0, -1]) try { process.kill(pid, 'SIGKILL') } catch {}",
      ),
      'prints megabytes': inside("for (let n = 0; n < 8; n += 1) console.log('x'.repeat(1e6))"),
    }
    for (const [who, server] of Object.entries(work)) {
      cpSync(join(solutionsFolder, L1), join(hall, 'class', who, L1), { recursive: true })
      submission(`class/${who}/${L1}/server.ts`, server)
    }
    submission(
      `class/not begun/${L1}/server.ts`,
      stubsOf(lesson1).find(({ name }) => name === 'server.ts')!.text,
    )
    mkdirSync(join(hall, 'class/links', L1), { recursive: true })
    symlinkSync(solutionsFolder, join(hall, 'class/links', L1, 'solutions'), 'junction')
  }

  function gradeAll(...words: string[]): Program {
    return run(copy, ['grade', 'class', ...words], { INIT_CWD: hall, SEED: '1' })
  }

  test('is graded to the end, whatever its folders contain; Ctrl-C keeps finished grades and leaves nothing running', async () => {
    handInAll()
    const interrupted = gradeAll()
    await interrupted.seen(/a right one, lesson 1: (\d+)\/\1 passed/)
    interrupted.kill('SIGINT')
    const code = await interrupted.ended
    if (process.platform !== 'win32') {
      expect(code).toBe(130)
      expect(interrupted.output).toMatch(/Stopped\. \d of 7 gradings are done and saved\./)
    }
    expect(existsSync(join(hall, 'grades.csv'))).toBe(false)
    await nothingRuns()

    const program = gradeAll()
    expect(await program.ended).toBe(0)
    const line = (who: string): string | undefined =>
      new RegExp(`^${who}  +(.*)$`, 'm').exec(program.output)?.[1]
    expect(line('a right one')).toMatch(/^(\d+)\/\1 passed · (\d+)\/\2 edge$/)
    expect(line('a wrong one')).toMatch(/^\d+\/\d+ not yet · 1\.1b · /)
    expect(line('hangs')).toBe('stuck')
    expect(line('ends everybody')).toMatch(/^(\d+)\/\1 passed · /)
    expect(line('prints megabytes')).toMatch(/passed · .*$|^error$/)
    expect(line('not begun')).toMatch(/^0\/\d+ not begun$/)
    expect(line('links')).toMatch(/^0\/\d+ not begun$/)
    expect(program.output).toContain('links, lesson 1: left out: solutions is a link')
    expect(program.output).toContain('hangs, lesson 1: Your code blocked the event loop')
    expect(program.output).toMatch(
      /7 hand-ins, 7 gradings in \d+ s, [1-9] of them from the cache · SEED=1/,
    )
    await nothingRuns()

    const sheet = readFileSync(join(hall, 'grades.csv'), 'utf8')
    expect(sheet).toMatch(/\na wrong one,not yet,\d+,\d+,passed,failed,passed,/)
    expect(sheet).toMatch(/\nhangs,stuck,0,0,stuck,stuck,/)
    const { people } = JSON.parse(readFileSync(join(hall, 'grades.json'), 'utf8')) as {
      people: { name: string; lessons: Grade[] }[]
    }
    const wrong = people.find(({ name }) => name === 'a wrong one')?.lessons[0]
    expect(wrong?.checks.find(({ state }) => state === 'failed')).toMatchObject({
      id: '1.1b',
      seen: expect.stringContaining('text/plain'),
    })
    // Grading does not change the work that was handed in.
    expect(readdirSync(join(hall, 'class/not begun', L1))).toEqual(['server.ts'])
  })

  test.skipIf(process.platform !== 'linux')(
    'whose grading process is killed gets a message, and the work ends with the process',
    async () => {
      const who = `class/hangs/${L1}/server.ts`
      submission(who, first(HANGS))
      const program = gradeAll('again')
      const grader = await vi.waitUntil(
        () => {
          // Wait for the process of the work, which hangs.
          const isAtWork = runningWith('workers/forks.js').length > 0
          return isAtWork && runningWith('grade-one')[0]
        },
        { timeout: 120_000 },
      )
      process.kill(grader, 'SIGKILL')
      expect(await program.ended).toBe(1)
      expect(program.output).toMatch(/^hangs +not graded$/m)
      expect(program.output).toContain('the process that graded it ended: SIGKILL')
      await nothingRuns()
    },
  )

  test('with somebody who cannot be graded has them in the table, and has exit code 1', async () => {
    submission('class/ada.rar')
    const program = gradeAll('to', 'made/for this')
    expect(await program.ended).toBe(1)
    expect(program.output).toContain('ada: not graded: ada.rar is not a zip archive')
    const tables = join(hall, 'made/for this')
    expect(readFileSync(join(tables, 'grades.csv'), 'utf8')).toMatch(/\nada,"ada\.rar is not a zip/)
    expect(readFileSync(join(tables, 'feedback/ada.txt'), 'utf8')).toMatch(/^Hello ada,\n/)
  })

  test('with an unknown argument has exit code 2', async () => {
    const program = run(copy, ['grade', 'klass'], { INIT_CWD: hall })
    expect(await program.ended).toBe(2)
    expect(program.output).toMatch(/^There is no folder or zip archive "klass"\./)
  })

  /** Returns the processes whose command line contains the path of our copy of the workshop, and the word. */
  function runningWith(word: string): number[] {
    if (process.platform !== 'linux') return []
    return readdirSync('/proc')
      .filter((name) => /^\d+$/.test(name))
      .filter((pid) => {
        try {
          const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
          return line.includes(copy.folder) && line.includes(word)
        } catch {
          return false
        }
      })
      .map(Number)
  }

  /** Waits until no process is left, because a killed process may take a moment to end. */
  async function nothingRuns(): Promise<void> {
    await vi.waitUntil(() => runningWith('').length === 0, { timeout: 120_000 })
  }
})
