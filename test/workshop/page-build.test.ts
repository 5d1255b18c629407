import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import type * as Build from '../../workshop/http/build.ts'
import type * as PageBundle from '../../workshop/page/bundle.ts'
import { copyOfWorkshop, type Copy } from './copy.ts'

// These tests use a copy with a tiny page, because building the real page is slow, and the browser tests do that anyway.

let copy: Copy
let builtPage: () => Promise<string>
beforeAll(async () => {
  copy = copyOfWorkshop()
  copy.write('package-lock.json', '{}')
  rmSync(copy.path('workshop/page/browser'), { recursive: true, force: true })
  copy.write('workshop/page/browser/index.html', '<script type="module" src="./main.tsx"></script>')
  copy.write('workshop/page/browser/main.tsx', showing('first'))
  const { built } = await copy.load<typeof Build>('workshop/http/build.ts')
  const { lessonPage } = await copy.load<typeof PageBundle>('workshop/page/bundle.ts')
  builtPage = () => built(lessonPage)
  // People may have set this variable in their terminal. Vitest sets it to "test".
  vi.stubEnv('NODE_ENV', 'development')
})
afterAll(() => {
  vi.unstubAllEnvs()
  copy.remove()
})

test('two concurrent builds share one page', async () => {
  const [one, other] = await Promise.all([builtPage(), builtPage()])
  expect(one).toBe(other)
  expect(pages()).toEqual([basename(one)])
  expect(scripts(one)).toContain('first')
})

test('the page uses the production build of React whatever NODE_ENV says, and has no inline scripts', async () => {
  const folder = await builtPage()
  expect(scripts(folder)).not.toMatch(/jsxDEV|react-dom-client\.development/)
  expect(readFileSync(join(folder, 'index.html'), 'utf8')).toMatch(
    /^<script type="module" crossorigin src="\/assets\/[\w-]+\.js"><\/script>\s*$/,
  )
})

test('an existing page is not built again', async () => {
  const folder = await builtPage()
  writeFileSync(join(folder, 'mark'), '')
  expect(await builtPage()).toBe(folder)
  expect(existsSync(join(folder, 'mark'))).toBe(true)
})

test('a changed source leads to a new page, and old pages are removed', async () => {
  const before = await builtPage()
  const builds = dirname(before)
  // The draft of a running build, the draft of a build that was killed, and an old page.
  for (const name of ['draft-now', 'draft-long-ago', 'page-long-ago']) mkdirSync(join(builds, name))
  for (const name of ['draft-long-ago', 'page-long-ago']) utimesSync(join(builds, name), 0, 0)
  copy.write('workshop/page/browser/main.tsx', showing('second'))
  const after = await builtPage()
  expect(scripts(after)).toContain('second')
  expect(pages()).toEqual([basename(after), basename(before), 'draft-now'].toSorted())
})

test.each(['wire/visible.ts', 'package-lock.json', 'workshop/page/vite.config.ts'])(
  '%s belongs to the sources',
  async (source) => {
    const before = await builtPage()
    const text = readFileSync(copy.path(source), 'utf8')
    copy.write(source, `${text}\n`)
    expect(await builtPage()).not.toBe(before)
  },
)

test('a failed build is reported, and leaves existing pages alone', async () => {
  const before = await builtPage()
  const found = pages()
  copy.write('workshop/page/browser/main.tsx', 'export const = 1')
  await expect(builtPage()).rejects.toThrow('main.tsx')
  expect(pages()).toEqual(found)
  copy.write('workshop/page/browser/main.tsx', showing('second'))
  expect(await builtPage()).toBe(before)
})

function showing(text: string): string {
  return `import { createRoot } from 'react-dom/client'\ncreateRoot(document.body).render(<p>${text}</p>)\n`
}

function pages(): string[] {
  return readdirSync(copy.path('.workshop/page')).toSorted()
}

function scripts(folder: string): string {
  const names = readdirSync(join(folder, 'assets')).filter((name) => name.endsWith('.js'))
  return names.map((name) => readFileSync(join(folder, 'assets', name), 'utf8')).join('')
}
