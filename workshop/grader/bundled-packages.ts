import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { build, type Plugin } from 'vite'
import { ROOT } from '../root.ts'
import { storeFolder } from '../store.ts'

/** The packages that a server process loads. */
const NAMES = ['express', 'redis']

export type BundledPackages = {
  /** The folder with all files. */
  folder: string
  /** The file of each package, by its name. */
  files: Map<string, string>
}

/**
 * Compiles each package and its dependencies into one file. A process that may only read some files loads it in half of the
 * CPU time that it needs for the hundreds of files of the package. Does so once for each version.
 */
export function bundledPackages(): Promise<BundledPackages> {
  bundled ??= bundle()
  return bundled
}

let bundled: Promise<BundledPackages> | undefined

async function bundle(): Promise<BundledPackages> {
  const versions = await readFile(join(ROOT, 'package-lock.json'))
  const builds = join(storeFolder, 'packages')
  const folder = join(builds, createHash('sha256').update(versions).digest('hex').slice(0, 16))
  if (!existsSync(folder)) {
    await mkdir(builds, { recursive: true })
    const draft = await mkdtemp(join(builds, 'draft-'))
    try {
      await compile(draft)
      await rename(draft, folder)
    } catch (error) {
      // Another process may have compiled the same packages in the meantime.
      if (!existsSync(folder)) throw error
    } finally {
      await rm(draft, { recursive: true, force: true })
    }
  }
  return { folder, files: new Map(NAMES.map((name) => [name, join(folder, `${name}.mjs`)])) }
}

async function compile(outDir: string): Promise<void> {
  await build({
    configFile: false,
    root: ROOT,
    logLevel: 'silent',
    plugins: [entries],
    ssr: { noExternal: true },
    build: {
      ssr: true,
      outDir,
      emptyOutDir: false,
      copyPublicDir: false,
      minify: false,
      target: 'node20',
      rolldownOptions: {
        input: Object.fromEntries(NAMES.map((name) => [name, ENTRY + name])),
        output: { entryFileNames: '[name].mjs' },
      },
    },
  })
}

const ENTRY = '\0package:'

/** The modules that export everything of a package by name. */
const entries: Plugin = {
  name: 'packages',
  resolveId: (id) => (id.startsWith(ENTRY) ? id : null),
  async load(id) {
    if (!id.startsWith(ENTRY)) return null
    const name = id.slice(ENTRY.length)
    const exported = Object.keys((await import(name)) as object)
    const names = exported.filter((each) => each !== 'default' && /^[A-Za-z_$][\w$]*$/.test(each))
    return [
      `import all from '${name}'`,
      'export default all',
      ...names.map((each, n) => `const name${n} = all.${each}\nexport { name${n} as ${each} }`),
    ].join('\n')
  },
}
