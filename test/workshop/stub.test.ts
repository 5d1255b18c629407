import { execFileSync } from 'node:child_process'
import { cpSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { expect, test } from 'vitest'
import { lessons, lessonsFolder } from '../../workshop/lessons/catalogue.ts'
import { makeStub, stubsOf } from '../../workshop/lessons/stubs.ts'
import { ROOT } from '../../workshop/root.ts'
import { copyOfWorkshop } from './copy.ts'

test('a region with a name is replaced with a throw, at the same indentation', () => {
  const source = [
    'export function one() {',
    '  // #region 1.2 one()',
    '  return 1',
    '',
    '  function helper() {}',
    '  // #endregion',
    '}',
    '',
  ].join('\n')
  expect(makeStub(source, 1)).toBe(
    "export function one() {\n  throw new Error('lesson 1, task 1.2: write one()')\n}\n",
  )
})

test('in a file with # comments, the message becomes a comment', () => {
  const source = 'server {\n  # #region 4.5 a location\n  location / {}\n  # #endregion\n}\n'
  expect(makeStub(source, 4)).toBe('server {\n  # lesson 4, task 4.5: write a location\n}\n')
})

test('a region with = is replaced with the code after it', () => {
  const source = 'function f() {\n  // #region 3.6 = return 1\n  return 2\n  // #endregion\n}\n'
  expect(makeStub(source, 3)).toBe('function f() {\n  return 1\n}\n')
})

test('a region without a name is removed, without leaving extra blank lines', () => {
  const source =
    'a()\n\n// #region 2.5\nhelper()\n// #endregion\n\nb()\n\n// #region 2.6\nc()\n// #endregion\n'
  expect(makeStub(source, 2)).toBe('a()\n\nb()\n')
})

test.each([
  ['a region that is not closed', 'x\n// #region 1.1 f()\ny\n', 'line 2: #region without'],
  ['a region that is not opened', 'x\n// #endregion\n', 'line 2: #endregion without'],
  [
    'a region in a region',
    '// #region 1.1 f()\n// #region 1.2\n// #endregion\n// #endregion\n',
    'line 2: #region inside the one of line 1',
  ],
  [
    'a region of another lesson',
    '// #region 2.1 f()\n// #endregion\n',
    'task 2.1 is not of lesson 1',
  ],
  ['a region without a task', '// #region helpers\n// #endregion\n', 'got "helpers"'],
])('%s is refused, with its line', (_case, source, message) => {
  expect(() => makeStub(source, 1)).toThrow(message)
})

test('every stub is formatted and compiles', () => {
  const copy = copyOfWorkshop()
  try {
    // Compile with the same configurations as a learner's editor. Lessons with React have one of their own.
    const configs = readdirSync(lessonsFolder, { recursive: true, encoding: 'utf8' })
      .filter((name) => basename(name) === 'tsconfig.json')
      .map((name) => join('lessons', name))
    expect(configs).toContain(join('lessons', 'tsconfig.json'))
    for (const config of configs) cpSync(join(ROOT, config), copy.path(config))
    for (const config of configs) {
      // Run the tools' files directly, because the scripts in `.bin` need a shell.
      const args = [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', config]
      execFileSync(process.execPath, args, { cwd: copy.folder, stdio: 'pipe' })
    }
    execFileSync(
      process.execPath,
      [
        join(ROOT, 'node_modules/oxfmt/bin/oxfmt'),
        '--check',
        '-c',
        join(ROOT, '.oxfmtrc.json'),
        'lessons',
      ],
      { cwd: copy.folder, stdio: 'pipe' },
    )
  } finally {
    copy.remove()
  }
})

// Run this test only in CI, because learners change lessons/, and only the committed state has to match the solutions.
test.runIf(process.env.CI)('the stubs in lessons/ are up to date with the solutions', () => {
  for (const lesson of lessons()) {
    for (const { name, text } of stubsOf(lesson)) {
      const file = join(lessonsFolder, lesson.folder, name)
      expect(readFileSync(file, 'utf8'), `node workshop/start.mjs stubs makes ${file}`).toBe(text)
    }
  }
})
