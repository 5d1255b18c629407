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

/** A copy of the workshop for one test file. It is like a fresh clone, and tests may change it freely. */
export type Copy = {
  readonly folder: string
  path(...names: string[]): string
  write(path: string, text: string): void
  /** Imports a module of the copy. The module works on the copy and not on this repository. */
  load<T>(path: string): Promise<T>
  remove(): void
}

/**
 * Copies the workshop to a folder with a space and an umlaut in its name, because people have such folders. `lessons/` is
 * not copied, because a learner may have changed it. Instead, it contains the stubs, and READMEs that are made for tests.
 *
 * @param options.packages whether the packages are installed
 * @param options.harness whether to include everything that is needed to run the checks
 */
export function copyOfWorkshop({ packages = true, harness = false } = {}): Copy {
  const folder = emptyFolder()
  const checks = readdirSync(join(ROOT, 'test')).filter((name) => /^lesson\d+\./.test(name))
  const tests = [...checks, ...(harness ? ['harness'] : [])].map((name) => join('test', name))
  for (const name of [...COPIED, ...tests]) {
    cpSync(join(ROOT, name), join(folder, name), { recursive: true })
  }
  // Use a junction, because on Windows everyone may create junctions, but not symbolic links.
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
 * Creates the first folder whose name is free. Names are reused, because the compile cache uses paths as keys, so the
 * files in a folder of the same name need not be compiled again.
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
