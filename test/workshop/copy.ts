import {
  cpSync,
  mkdirSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { lessons } from '../../workshop/lessons/catalogue.ts'
import { stubsOf } from '../../workshop/lessons/stubs.ts'
import { ROOT } from '../../workshop/root.ts'

/** A workshop of its own for one test file, as a fresh clone: what happens to it happens nowhere else. */
export type Copy = {
  readonly folder: string
  path(...names: string[]): string
  write(path: string, text: string): void
  /** A module of the copy, which knows no other workshop than the copy. */
  load<T>(path: string): Promise<T>
  remove(): void
}

/**
 * The folder's name has a space and an umlaut, as people's have. `lessons/` is not copied, for a learner may
 * have changed it: it has the stubs of the solutions, and READMEs of the tests' own.
 *
 * @param options.packages false for a clone in which nothing is installed
 * @param options.harness true for what it takes to run the checks
 */
export function copyOfWorkshop({ packages = true, harness = false } = {}): Copy {
  const folder = emptyFolder()
  const checks = readdirSync(join(ROOT, 'test')).filter((name) => /^lesson\d+\./.test(name))
  const tests = [...checks, ...(harness ? ['harness'] : [])].map((name) => join('test', name))
  for (const name of [...COPIED, ...tests]) {
    cpSync(join(ROOT, name), join(folder, name), { recursive: true })
  }
  // A junction is the link that Windows lets everybody make.
  if (packages) symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'), 'junction')

  const copy: Copy = {
    folder,
    path: (...names) => join(folder, ...names),
    write(path, text) {
      mkdirSync(dirname(join(folder, path)), { recursive: true })
      writeFileSync(join(folder, path), text)
    },
    load: (path) => import(/* @vite-ignore */ pathToFileURL(join(folder, path)).href),
    remove: () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }),
  }
  for (const lesson of lessons()) {
    copy.write(
      `lessons/${lesson.folder}/README.md`,
      README.replaceAll(/1(?=\.\d|: A)/g, String(lesson.number)),
    )
    for (const { name, text } of stubsOf(lesson))
      copy.write(`lessons/${lesson.folder}/${name}`, text)
  }
  return copy
}

/**
 * A folder that nobody else has: the first that is free. What has been compiled for a copy that was there before is
 * known by its path, and need not be compiled again.
 */
function emptyFolder(): string {
  for (let n = 1; ; n += 1) {
    const folder = join(realpathSync(tmpdir()), `a wörkshop ${n}`)
    try {
      mkdirSync(folder)
      return folder
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
    }
  }
}

const COPIED = [
  'data',
  'feed',
  'protocol',
  'solutions',
  'wire',
  'workshop',
  'package.json',
  'package-lock.json',
  'tsconfig.browser.json',
  'tsconfig.json',
]

const README = `# Lesson 1: A lesson

30 minutes · you edit \`server.ts\`

## Tasks

### 1.1 The first task

Write it.

<details>
<summary>Hint 1</summary>

Think of **the head**, and of [\`HTTP\`](https://example.org).

</details>

<details>
<summary>Hint 2</summary>

Nearly the code:

\`\`\`ts
# Lesson 8: not a title
res.flushHeaders()
\`\`\`

</details>

### 1.2 The second task

<details>
<summary>Hint 1</summary>

The only one.

</details>
`
