import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { grade } from '../../workshop/grader/grade.ts'
import { solutionsFolder } from '../../workshop/lessons/catalogue.ts'

// Programs that try to pass although they are wrong, or to keep the grader from giving a verdict. No such program may
// pass, and the grader must not hang. The checks assume good faith, but these tests do not.

type Trick = {
  name: string
  outcome: 'fail' | 'error' | 'stuck'
  /** A part of the verdict's message. */
  says?: string
  /** Code to put at the beginning of server.ts. */
  first?: string
  /** Code to run at the beginning of createApp(). */
  inside?: string
  /** The whole server.ts. */
  whole?: string
}

const solution = readFileSync(join(solutionsFolder, '01-raw-chunks/server.ts'), 'utf8')
/** A solution with a single mistake, which check 1.1b finds. */
const wrong = solution.replace('application/x-ndjson', 'text/plain')
const anywhere = JSON.stringify(join(solutionsFolder, '01-raw-chunks/server.ts'))

/** A pause for endless loops. The grader cannot tell whether a loop uses a processor, but other tests need theirs. */
const NAP = 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100)'

const tricks: Trick[] = [
  { name: 'ends the process when it is loaded', outcome: 'error', first: 'process.exit(0)' },
  { name: 'ends the process in a check', outcome: 'fail', inside: 'process.exit(0)' },
  {
    name: 'ends the process without telling Node',
    outcome: 'error',
    says: 'The process ended before the checks did, in check 1.1a.',
    inside: '(process as unknown as { reallyExit(code: number): void }).reallyExit(0)',
  },
  {
    name: 'kills itself',
    outcome: 'error',
    says: 'The process ended before the checks did, in check 1.1a.',
    inside: "process.kill(process.pid, 'SIGKILL')",
  },
  {
    name: 'ends its grader',
    outcome: 'fail',
    inside: "process.kill(process.ppid, 'SIGKILL')",
  },
  {
    name: 'uses up the memory',
    outcome: 'error',
    says: 'Your code used more than the 1024 MB of memory that it may use, while your files were loaded.',
    first: taking('Buffer.alloc(1e7, 1)'),
  },
  {
    name: 'uses up the heap',
    outcome: 'error',
    says: 'Your code used more than the 1024 MB of memory that it may use, while your files were loaded.',
    first: taking('new Array(1e6).fill(all.length)'),
  },
  {
    name: 'imports the solution by its relative path',
    outcome: 'error',
    whole: "export * from '../../../../solutions/01-raw-chunks/server.ts'",
  },
  {
    name: 'imports the solution by a path computed at run time',
    outcome: 'error',
    says: 'a lesson may import its own files',
    whole: `const path = ${anywhere}\nexport const { createApp } = await import(path)`,
  },
  {
    name: 'imports #work, which is the solution elsewhere',
    outcome: 'fail',
    whole: "export * from '#work/01-raw-chunks/server.ts'",
  },
  {
    name: 'reads the solution as text',
    outcome: 'error',
    says: 'restricted',
    first: `import { readFileSync } from 'node:fs'\nreadFileSync(${anywhere}, 'utf8')`,
  },
  {
    name: 'imports the solution past the guard',
    outcome: 'error',
    first: `await new Function('path', 'return import(path)')(${anywhere})`,
  },
  {
    name: 'imports the grader to skip checks',
    outcome: 'error',
    says: 'a lesson may not import "vitest"',
    first: "import { beforeEach } from 'vitest'\nbeforeEach((context) => context.skip())",
  },
  {
    name: 'makes all comparisons succeed',
    outcome: 'fail',
    first: 'Object.is = () => true',
  },
  {
    name: 'makes every pattern match',
    outcome: 'error',
    first: 'RegExp.prototype.test = () => true\nRegExp.prototype.exec = () => null',
  },
  {
    name: 'turns failures into passes in the report',
    outcome: 'error',
    says: 'A check that has to fail has passed',
    first: `
      const worker = (globalThis as any).__vitest_worker__
      const rpc = worker.rpc
      worker.rpc = new Proxy(rpc, { get: (of, name) => name === 'onTaskUpdate' || name === 'onTaskArtifactRecord'
        ? (packs: any[], ...rest: any[]) => of[name](packs.map(([id, result, meta]) => [id, result && { ...result, state: 'pass', errors: undefined }, meta]), ...rest)
        : of[name] })`,
  },
  {
    name: 'silences the channel to the grader',
    outcome: 'fail',
    first: 'process.send = () => true',
  },
  {
    name: 'overwrites the checks',
    outcome: 'error',
    says: 'restricted',
    first: `import { writeFileSync } from 'node:fs'\nwriteFileSync(${JSON.stringify(join(import.meta.dirname, '../lesson1.test.ts'))}, '')`,
  },
  {
    name: 'starts a program that outlives it',
    outcome: 'error',
    says: 'restricted',
    first: `import { spawn } from 'node:child_process'\nspawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { detached: true })`,
  },
  {
    name: 'blocks the event loop when it is loaded',
    outcome: 'stuck',
    says: 'while your files were loaded',
    first: `for (;;) ${NAP}`,
  },
  {
    name: 'blocks the event loop in a check',
    outcome: 'stuck',
    says: 'in check 1.1a',
    inside: 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)',
  },
  {
    name: 'blocks the event loop with microtasks',
    outcome: 'stuck',
    says: 'in check 1.1a',
    inside: `void (async () => { for (;;) { await null; ${NAP} } })()`,
  },
  {
    name: 'stops the clocks',
    outcome: 'fail',
    first: 'globalThis.setInterval = (() => 0) as any\nglobalThis.setTimeout = (() => 0) as any',
    whole: wrong,
  },
  {
    name: 'throws after the checks',
    outcome: 'fail',
    inside: "setTimeout(() => { throw new Error('too late') }, 5)",
  },
]

/** Returns code that exceeds the memory limit, but is never silent, so it is ended for its memory on the slowest machine. */
function taking(what: string): string {
  return `for (const all: unknown[] = []; ; all.push(${what})) await new Promise((turn) => setImmediate(turn))`
}

const scratch = mkdtempSync(join(tmpdir(), 'dishonest-'))
afterAll(() => rmSync(scratch, { recursive: true, force: true }))

test.concurrent.for(tricks)(
  'work that $name does not pass',
  async (trick, { expect: expectHere }) => {
    const { first = '', inside = '', whole, outcome, says = '' } = trick
    const base = inside || whole === undefined ? (first || inside ? wrong : solution) : whole
    const body = `const app = express()\n  ;${inside}\n`
    const text = `// @ts-nocheck\n${first}\n${base.replace('const app = express()\n', body)}`
    const work = mkdtempSync(join(scratch, 'work-'))
    mkdirSync(join(work, '01-raw-chunks'))
    writeFileSync(join(work, '01-raw-chunks/server.ts'), text)

    const verdict = await grade({
      lesson: 1,
      work,
      base: solutionsFolder,
      seed: 1,
      bail: true,
      // Skip the types and the reference, because they have no influence on the outcome.
      skipTypes: true,
      skipReference: true,
    })

    const said = `${verdict.problem?.what} ${verdict.problem?.detail}`
    expectHere({ outcome: verdict.outcome, said }).toMatchObject({
      outcome,
      said: expectHere.stringContaining(says),
    })
  },
)

test('right work passes when it is graded in the same way', async () => {
  const verdict = await grade({ lesson: 1, work: solutionsFolder, seed: 1 })
  expect(verdict.outcome).toBe('pass')
})
