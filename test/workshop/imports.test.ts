import { expect, test } from 'vitest'
import { readImports } from '../../workshop/grader/imports.ts'

// The grader restricts what a lesson may import by the module that is meant, however its name is written.

const folder = '/sandbox/01-raw-chunks'

const refused = {
  'a static import': "import v8 from 'node:v8'",
  'a builtin without its prefix': "import { createRequire } from 'module'",
  'an export from a module': "export * from 'vitest'",
  'a dynamic import': "const a = await import('vitest')",
  'a name with an escape': "import '\\u0076itest'",
  'a comment inside': "import(/* harmless */ 'vitest')",
  'a template': 'import(`vitest`)',
  'a name that is computed': "import('vi' + 'test')",
  'a variable': "const name = 'vitest'\nimport(name)",
  'the checks': "import '../../../test/harness/check.ts'",
  'the checks by a long way': "import './../01-raw-chunks/../../../../test/harness/check.ts'",
  'another lesson': "import '../02-server-sent-events/server.ts'",
  'an absolute path': "import '/elsewhere/server.ts'",
  'a URL of a file': "import 'file:///elsewhere/server.ts'",
  'a module in its own name': "import 'data:text/javascript,1'",
  'the lock': "import '#lock'",
  'the work elsewhere': "import '#work/01-raw-chunks/server.ts'",
  'a file of a package that is allowed': "import 'express/../vitest/dist/index.js'",
  'a package that is not listed': "import 'fast-check'",
  'Vite’s glob': "const all = import.meta.glob('/solutions/**')",
  'Vitest’s own object': 'const { vi } = import.meta.vitest',
  'require()': "const v8 = require('node:v8')",
  'require() by another name': "const load = require\nload('node:v8')",
  'the inspector': "import 'node:inspector'",
  'a program': "import { spawn } from 'node:child_process'",
  'a worker': "import { Worker } from 'node:worker_threads'",
  SQLite: "import 'node:sqlite'",
  'the file system': "import { readFileSync } from 'node:fs'",
  'trace events': "import 'node:trace_events'",
}

test.for(Object.entries(refused))('a lesson may not import %s', ([, code]) => {
  expect(readImports(`${folder}/server.ts`, `\n${code}\n`, folder)?.refusal?.why).toBeDefined()
})

test('a lesson may import what lessons need', () => {
  const code = `
    import { once } from 'node:events'
    import express, { type Express } from 'express'
    import type { RequestListener } from 'node:http'
    import type { Stats } from 'node:fs'
    import { Readable } from 'stream'
    import type { Quake } from '#feed'
    import { helper } from './helper.ts'
    import { other } from './inner/other.ts'
    import { useEffect } from 'react'
    const options = { require: true, import: 1 }
    options.require
    const here = import.meta.url
    export { helper } from './helper.ts'
    export const late = () => import('./late.ts')
  `
  expect(readImports(`${folder}/server.tsx`, code, folder)).toEqual({})
})

test('the line of the import and of the first await outside any function are known', () => {
  const code =
    "async function f() {\n  await 1\n}\nimport 'vitest'\nfor await (const a of b) {}\nawait 2"
  const { refusal, topLevelAwait } = readImports(`${folder}/server.ts`, code, folder)!
  expect([refusal?.line, topLevelAwait]).toEqual([4, 5])
})

test('a file with a syntax error, or of another kind, is left to others', () => {
  expect(readImports(`${folder}/server.ts`, 'const a = {', folder)).toBeUndefined()
  expect(readImports(`${folder}/data.json`, '{}', folder)).toBeUndefined()
})
