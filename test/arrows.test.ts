import { readdirSync, readFileSync } from 'node:fs'
import { join, posix, sep } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseSync } from 'vite'
import { lessonPage } from '../workshop/page/bundle.ts'
import { ROOT } from '../workshop/root.ts'
import { slidesPage } from '../workshop/slides/deck-view.ts'

// Imports run one way, and those of types count. If an arrow has to turn back, the house is wrong: mend the house.

/** Each room: where it is, and the rooms that it may import besides its own files. */
const ROOMS: Record<string, [where: string, imports: string]> = {
  // What a learner's work stands on, and what grades it.
  feed: ['feed', ''],
  wire: ['wire', ''],
  protocol: ['protocol', 'feed wire'],
  solutions: ['solutions', 'feed'],
  exhibits: ['lessons', 'feed'],
  harness: ['test/harness', 'feed wire protocol work'],
  lessonTests: ['test/lesson', 'feed wire protocol solutions exhibits work harness'],

  // The program behind `npm run …`, from the ground up.
  base: [
    'workshop/root.ts workshop/store.ts workshop/is-inside.ts workshop/machine-problem.ts',
    '',
  ],
  process: ['workshop/process', 'base'],
  http: ['workshop/http', 'base protocol'],
  terminal: ['workshop/terminal', 'wire'],
  tools: ['workshop/tools', 'process'],
  proxies: ['workshop/proxies', 'process http tools'],
  lessons: ['workshop/lessons', 'base wire protocol terminal'],
  verdict: ['workshop/verdict', 'protocol terminal lessons'],
  grader: ['workshop/grader', 'base wire protocol process tools proxies lessons verdict'],
  mistakes: ['workshop/mistakes', 'base protocol lessons verdict'],
  mutants: ['workshop/mutants', 'base protocol lessons grader'],
  combine: ['workshop/combine', 'base protocol lessons grader mistakes'],
  pictures: ['workshop/pictures', ''],
  class: ['workshop/class', 'base wire protocol process terminal tools lessons grader'],
  experiment: ['workshop/experiment', 'base protocol wire process tools proxies lessons'],
  replay: ['workshop/replay', 'wire process'],
  hops: ['workshop/hops', 'base wire protocol process http terminal lessons'],
  runtime: ['workshop/runtime', 'base feed wire protocol solutions process http tools proxies'],
  soak: ['workshop/soak', 'feed wire process lessons runtime'],
  page: ['workshop/page', 'base wire protocol solutions http'],
  pageBrowser: ['workshop/page/browser', 'feed wire protocol solutions lessons verdict experiment'],
  session: [
    'workshop/session',
    'base feed wire protocol solutions process terminal lessons verdict grader experiment runtime page',
  ],
  slides: [
    'workshop/slides',
    'base wire protocol solutions process http terminal tools lessons verdict grader mistakes runtime page session',
  ],
  slidesBrowser: ['workshop/slides/browser', 'wire protocol slides pageBrowser'],
  bench: ['bench', 'base feed solutions process'],
  prove: [
    'workshop/prove.ts workshop/browser-tests.ts workshop/slowest-tests.ts workshop/cpu workshop/phases.ts',
    'base process tools',
  ],
  commands: [
    'workshop/commands',
    'base wire process terminal tools lessons verdict grader mistakes mutants combine pictures class experiment hops session replay slides bench soak prove',
  ],
  cli: ['workshop/cli.ts workshop/start.mjs', 'base commands cli'],
}

const files = [
  'bench',
  'feed',
  'wire',
  'protocol',
  'solutions',
  'test/harness',
  'test',
  'workshop',
].flatMap(sourcesIn)
const arrows = files.flatMap(importsOf)
const lessonTests = files.filter((file) => file.startsWith('test/lesson'))

test('every file is in a room', () => {
  expect(files.filter((file) => roomOf(file) === undefined)).toEqual([])
})

test('every import is one that its room may have', () => {
  expect(arrows.filter((arrow) => !isAllowed(arrow)).map(inWords)).toEqual([])
})

test.each(lessonTests)('the checks in %s load the work of their own lesson alone', (file) => {
  const work = reachedFrom(file, ({ isType }) => !isType).filter((to) => to.startsWith('#work/'))
  const folders = new Set(work.map((to) => to.split('/')[1]!))
  expect([...folders].map((folder) => `test/lesson${Number(folder.slice(0, 2))}.test.ts`)).toEqual([
    file,
  ])
})

test('no file imports itself by way of others', () => {
  expect(circles()).toEqual([])
})

// Else a page that is built already would go on being shown after a change.
describe.each([
  ['the lesson page', lessonPage, 'workshop/page/browser/main.tsx'],
  ['the slides', slidesPage, 'workshop/slides/browser/main.tsx'],
  ['a slide that runs a program', slidesPage, 'workshop/slides/browser/demo.tsx'],
  ['the board', slidesPage, 'workshop/slides/browser/board.tsx'],
])('%s', (_what, { sources }, entry) => {
  test('every file that a browser loads is among the sources of its bundle', () => {
    const loaded = reachedFrom(entry, ({ isType }) => !isType)
    const others = loaded.filter((file) => !sources.some((source) => isIn(source, file)))
    expect(others).toEqual([])
  })
})

type Arrow = { from: string; to: string; isType: boolean }

function isAllowed({ from, to }: Arrow): boolean {
  const [room, other] = [roomOf(from)!, roomOf(to)]
  return other !== undefined && (room === other || ROOMS[room]![1].split(' ').includes(other))
}

function inWords({ from, to }: Arrow): string {
  return `${from} imports ${to}`
}

/** The room whose path is the longest that the file begins with. */
function roomOf(file: string): string | undefined {
  const paths = Object.entries(ROOMS).flatMap(([room, [where]]) =>
    where.split(' ').map((path) => ({ room, path })),
  )
  return [...paths, { room: 'work', path: '#work' }]
    .filter(({ path }) => file.startsWith(path))
    .toSorted((a, b) => b.path.length - a.path.length)[0]?.room
}

function isIn(folder: string, file: string): boolean {
  return file === folder || file.startsWith(`${folder}/`)
}

/** Of `test`, the tests of lessons alone: tests of the program may import whatever they test. */
function sourcesIn(folder: string): string[] {
  const names = readdirSync(join(ROOT, folder), { recursive: folder !== 'test' })
  return names
    .map((name) => `${folder}/${String(name).split(sep).join('/')}`)
    .filter((file) => /\.(ts|tsx|mjs)$/.test(file))
    .filter((file) => folder !== 'test' || file.startsWith('test/lesson'))
}

function importsOf(from: string): Arrow[] {
  const source = readFileSync(join(ROOT, from), 'utf8')
  const { staticImports, staticExports, dynamicImports } = parseSync(from, source).module
  const imports = [
    ...staticImports.map(({ moduleRequest, entries }) => ({
      name: moduleRequest.value,
      isType: entries.length > 0 && entries.every(({ isType }) => isType),
    })),
    ...staticExports.flatMap(({ entries }) =>
      entries.flatMap(({ moduleRequest, isType }) =>
        moduleRequest ? [{ name: moduleRequest.value, isType }] : [],
      ),
    ),
    ...dynamicImports.map(({ moduleRequest: { start, end } }) => ({
      name: source.slice(start + 1, end - 1),
      isType: false,
    })),
  ]
  return imports.flatMap(({ name, isType }) => {
    const to = fileCalled(name, from)
    return to === undefined ? [] : [{ from, to, isType }]
  })
}

/** Undefined for a package. */
function fileCalled(name: string, from: string): string | undefined {
  if (name.startsWith('.')) return posix.join(posix.dirname(from), name)
  if (name === '#feed') return 'feed/index.ts'
  return name.startsWith('#work/') ? name : undefined
}

function reachedFrom(file: string, follows = (_arrow: Arrow): boolean => true): string[] {
  const reached = new Set<string>()
  const waiting = [file]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (reached.has(next)) continue
    reached.add(next)
    for (const arrow of arrows) if (arrow.from === next && follows(arrow)) waiting.push(arrow.to)
  }
  return [...reached]
}

/** The arrows that lead back to where they came from. */
function circles(): string[] {
  const reach = new Map(files.map((file) => [file, new Set(reachedFrom(file))]))
  return arrows.filter(({ from, to }) => reach.get(to)?.has(from)).map(inWords)
}
