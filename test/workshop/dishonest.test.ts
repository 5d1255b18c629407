import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { grade } from '../../workshop/grader/grade.ts'
import { solutionsFolder } from '../../workshop/lessons/catalogue.ts'

// Programs that try to pass although they are wrong, or to keep the grader from giving a verdict. No such program may
// pass, and the grader must not hang. The checks assume good faith, but these tests do not. Imports are tested in
// imports.test.ts.

type Trick = {
  name: string
  /** If absent, any outcome except a pass. */
  outcome?: 'fail' | 'error' | 'stuck'
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
    // On a busy machine, the grader may lose patience before the memory is used up.
    says: 'while your files were loaded',
    first: taking('Buffer.alloc(1e7, 1)'),
  },
  {
    name: 'uses up the heap',
    // On a busy machine, the grader may lose patience before the memory is used up.
    says: 'while your files were loaded',
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
    says: 'import() needs the name of a module in quotes',
    whole: `const path = ${anywhere}\nexport const { createApp } = await import(path)`,
  },
  {
    name: 'imports #work, which is the solution elsewhere',
    outcome: 'error',
    says: 'a lesson may import its own files',
    whole: "export * from '#work/01-raw-chunks/server.ts'",
  },
  {
    name: 'reads the solution as text',
    outcome: 'error',
    says: 'not "node:fs"',
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
    says: 'not "vitest"',
    first: "import { beforeEach } from 'vitest'\nbeforeEach((context) => context.skip())",
  },
  {
    name: 'makes all comparisons succeed',
    outcome: 'error',
    first: 'Object.is = () => true',
  },
  {
    name: 'makes every pattern match',
    outcome: 'error',
    first: 'RegExp.prototype.test = () => true\nRegExp.prototype.exec = () => null',
  },
  {
    name: 'takes the state of the worker',
    says: 'undefined',
    first: 'const { rpc } = (globalThis as any).__vitest_worker__',
  },
  {
    name: 'takes the state of the worker without appearing in the stack',
    first: `
      const worker = await Promise.resolve('__vitest_worker__').then(Reflect.get.bind(null, globalThis))
      worker.rpc = null`,
  },
  {
    name: 'takes the state of the worker with a false stack',
    first: `
      Error.prepareStackTrace = () => [0, 1, 2].map(() => ({ getFileName: () => '/node_modules/vitest/a.js' }))
      const worker = (globalThis as any).__vitest_worker__
      worker.rpc = null`,
  },
  {
    name: 'replaces the checks by mocks',
    first:
      "(globalThis as any).__vitest_index__.vi.doMock('/test/harness/failure.ts', () => ({ must() {} }))",
  },
  {
    name: 'turns failures into passes on their way to the grader',
    first: `
      const { send } = process
      process.send = ((message: any, ...rest: any[]) => {
        if (message.m === 'onTaskUpdate') for (const [, result] of message.a[0]) if (result) Object.assign(result, { state: 'pass', errors: undefined })
        return (send as any).call(process, message, ...rest)
      }) as any`,
  },
  {
    name: 'reports its own results',
    first: `setInterval(() => process.send!({ t: 'q', i: 'x' + Math.random(), m: 'onTaskUpdate', a: [[['1', { state: 'pass' }, {}]], []] }), 1)`,
  },
  { name: 'runs code from a string', says: 'string', first: "new Function('return 1')()" },
  {
    name: 'runs asynchronous code from a string',
    says: 'string',
    first: "(async () => {}).constructor('return 1')()",
  },
  { name: 'evaluates a string', says: 'string', first: "globalThis.eval('1')" },
  {
    name: 'takes a builtin from the process',
    first: "(process as any).getBuiltinModule('node:v8').x = 1",
  },
  { name: 'takes an internal binding', first: "(process as any).binding('fs').open = 1" },
  {
    name: 'listens in the file system',
    outcome: 'fail',
    inside: "app.listen('/tmp/dishonest.sock')",
  },
  {
    name: 'makes every deep comparison succeed',
    first: "import util from 'node:util'\nutil.isDeepStrictEqual = () => true",
  },
  { name: 'makes every lookup succeed', first: "Map.prototype.get = () => 'application/x-ndjson'" },
  {
    name: 'makes every promise succeed',
    first: 'Promise.prototype.finally = function () { return Promise.resolve() }',
  },
  {
    name: 'makes every list contain everything while it runs',
    inside: `
      const { test: original } = RegExp.prototype
      RegExp.prototype.test = () => true
      setTimeout(() => { RegExp.prototype.test = original }, 20)`,
  },
  { name: 'makes every text parse', first: 'JSON.parse = () => ({})' },
  {
    name: 'replaces the language’s Map',
    first: 'globalThis.Map = class extends Map { get() { return 1 } } as any',
  },
  {
    name: 'waits for nothing',
    first: "import events from 'node:events'\nevents.once = async () => []",
  },
  { name: 'decodes everything alike', first: "TextDecoder.prototype.decode = () => '{}'" },
  {
    name: 'lets no socket report an error',
    first: "import { EventEmitter } from 'node:events'\nEventEmitter.prototype.emit = () => true",
  },
  {
    name: 'gives every object a result',
    first: "Object.assign(Object.prototype, { passed: true, state: 'pass' })",
  },
  {
    name: 'silences the channel to the grader',
    outcome: 'fail',
    first: 'process.send = () => true',
  },
  {
    name: 'overwrites the checks',
    outcome: 'error',
    says: 'not "node:fs"',
    first: `import { writeFileSync } from 'node:fs'\nwriteFileSync(${JSON.stringify(join(import.meta.dirname, '../lesson1.test.ts'))}, '')`,
  },
  {
    name: 'starts a program that outlives it',
    outcome: 'error',
    says: 'not "node:child_process"',
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
    name: 'signs for itself in an endless loop',
    outcome: 'stuck',
    says: 'in check 1.1a',
    inside: `for (;;) { process.stderr.write('\\u0001alive 1\\n'); ${NAP} }`,
  },
  {
    name: 'never finishes loading',
    outcome: 'stuck',
    says: 'server.ts:2',
    first: 'await new Promise(() => {})',
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
    expectHere(verdict.outcome).not.toBe('pass')
    expectHere({ outcome: verdict.outcome, said }).toMatchObject({
      ...(outcome && { outcome }),
      said: expectHere.stringContaining(says),
    })
  },
)

test('right work passes when it is graded in the same way', async () => {
  const verdict = await grade({ lesson: 1, work: solutionsFolder, seed: 1 })
  expect(verdict.outcome).toBe('pass')
})
