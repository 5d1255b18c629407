import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { access, mkdir, mkdtemp, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { storeFolder } from '../store.ts'
import { ROOT } from '../root.ts'

/** The files that a browser loads, and the sources from which Vite builds them. */
export type Bundle = {
  /** The name of the folder for the builds, such as `page`. */
  name: string
  /** The path of Vite's configuration, relative to the workshop's folder. */
  config: string
  /** The files and folders to build from. When any of them changes, the bundle is built again. */
  sources: readonly string[]
}

/**
 * Returns the folder with a bundle's built files. If the sources have changed since the last build, this function builds
 * the bundle first, which takes some seconds.
 *
 * @throws Error with Vite's message if the build fails
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

/** Builds in another folder and moves the result in one step, so that no process ever finds an incomplete page. */
async function build({ config }: Bundle, builds: string, folder: string): Promise<void> {
  await mkdir(builds, { recursive: true })
  const draft = await mkdtemp(join(builds, 'draft-'))
  try {
    await runVite(config, draft)
    await rename(draft, folder)
  } catch (error) {
    // If another running workshop has built the same page in the meantime, use that build.
    if (!(await exists(folder))) throw error
  } finally {
    await rm(draft, { recursive: true, force: true })
  }
}

/**
 * Runs Vite in its own process, because Vite sets NODE_ENV, which every program that we start would inherit. The build
 * uses the production version of React, whatever our own NODE_ENV says.
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

/** Removes old builds. Keeps recent ones, because another running workshop may be using or making them. */
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

/** Returns the source itself if it is a file, or all files of a folder, always in the same order. */
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

/** Returns the age of a folder in milliseconds, or 0 if it no longer exists. */
async function ageMs(path: string): Promise<number> {
  return stat(path).then(
    ({ mtimeMs }) => Date.now() - mtimeMs,
    () => 0,
  )
}

const OLD_MS = 24 * 3_600_000

const VITE = join(ROOT, 'node_modules/vite/bin/vite.js')
