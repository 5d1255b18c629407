import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { access, mkdir, mkdtemp, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { storeFolder } from '../store.ts'
import { ROOT } from '../root.ts'

/** What browsers load, and what it is made from. */
export type Bundle = {
  /** Of the folder that keeps it: `page`. */
  name: string
  /** From the workshop's folder to Vite's configuration. */
  config: string
  /** Files and folders; a change in one of them makes another bundle. */
  sources: readonly string[]
}

/**
 * The folder with a bundle as browsers load it. It is there at once, unless its sources have changed since
 * the last time: then it is built, which takes some seconds.
 *
 * @throws Error with what the build says
 */
export async function built(bundle: Bundle): Promise<string> {
  const builds = join(storeFolder, bundle.name)
  const folder = join(builds, await hashOfSources(bundle))
  if (!(await exists(folder))) {
    await build(bundle, builds, folder)
    await removeOld(builds)
  }
  return folder
}

/** Builds elsewhere and moves it there in one step: nobody finds half a page. */
async function build({ config }: Bundle, builds: string, folder: string): Promise<void> {
  await mkdir(builds, { recursive: true })
  const draft = await mkdtemp(join(builds, 'draft-'))
  try {
    await runVite(config, draft)
    await rename(draft, folder)
  } catch (error) {
    // Another start of the workshop may have built the same page in the meantime.
    if (!(await exists(folder))) throw error
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}

/**
 * In a process of its own: Vite sets NODE_ENV, and would leave it to every program that is started from here.
 * React is to be the small and fast one, whatever NODE_ENV says.
 */
async function runVite(config: string, outDir: string): Promise<void> {
  const args = [
    VITE,
    'build',
    '--config',
    join(ROOT, config),
    '--outDir',
    outDir,
    '--logLevel',
    'error',
  ]
  await promisify(execFile)(process.execPath, args, {
    cwd: ROOT,
    env: { ...process.env, NODE_ENV: 'production' },
  })
}

/** What was built lately, or is being built, may be in use by another start of the workshop. */
async function removeOld(builds: string): Promise<void> {
  for (const name of await readdir(builds)) {
    const path = join(builds, name)
    if ((await ageMs(path)) > OLD_MS) await rm(path, { recursive: true, force: true })
  }
}

async function hashOfSources({ config, sources }: Bundle): Promise<string> {
  const hash = createHash('sha256')
  const all = [...sources, config, 'package-lock.json']
  for (const file of (await Promise.all(all.map(filesOf))).flat()) {
    hash
      .update(file)
      .update('\0')
      .update(await readFile(join(ROOT, file)))
      .update('\0')
  }
  return hash.digest('hex').slice(0, 16)
}

/** The file itself, or all files of a folder, in an order that is always the same. */
async function filesOf(source: string): Promise<string[]> {
  if (!(await stat(join(ROOT, source))).isDirectory()) return [source]
  const entries = await readdir(join(ROOT, source), { withFileTypes: true })
  entries.sort((a, b) => (a.name < b.name ? -1 : 1))
  return (await Promise.all(entries.map(({ name }) => filesOf(`${source}/${name}`)))).flat()
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

/** Since the folder was made; 0 when it is gone. */
async function ageMs(path: string): Promise<number> {
  return stat(path).then(
    ({ mtimeMs }) => Date.now() - mtimeMs,
    () => 0,
  )
}

const OLD_MS = 24 * 3_600_000

const VITE = join(ROOT, 'node_modules/vite/bin/vite.js')
