import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { stripVTControlCharacters } from 'node:util'
import { build, type InlineConfig, type Plugin } from 'vite'
import { ROOT } from '../root.ts'
import { bundledPackages, type BundledPackages } from './bundled-packages.ts'
import { guard } from './guard.ts'

/**
 * Compiles a learner's `process.ts` and everything that it imports, except packages, into one file in the sandbox. The same
 * rules for imports apply as in a check.
 *
 * @returns the path of the file
 * @throws Error if a file has a syntax error, or imports what it may not import
 */
export async function buildProcess(sandbox: string, folder: string): Promise<string> {
  await compile({
    configFile: false,
    root: ROOT,
    logLevel: 'silent',
    plugins: [
      fromBundles(await bundledPackages()),
      ...guard(sandbox, [], join(ROOT, 'test/harness/scale-out/process-lock.ts')).plugins,
    ],
    build: {
      ssr: join(sandbox, folder, 'process.ts'),
      outDir: sandbox,
      emptyOutDir: false,
      copyPublicDir: false,
      sourcemap: 'inline',
      minify: false,
      target: 'node20',
      rolldownOptions: { output: { entryFileNames: FILE } },
    },
  })
  return join(sandbox, FILE)
}

/** Makes imports of the packages that the process has already loaded refer to their bundles. */
function fromBundles({ files }: BundledPackages): Plugin {
  return {
    name: 'bundled packages',
    enforce: 'pre',
    resolveId(name) {
      const file = files.get(name)
      return file === undefined ? null : { id: pathToFileURL(file).href, external: true }
    },
  }
}

async function compile(config: InlineConfig): Promise<void> {
  try {
    await build(config)
  } catch (error) {
    // The bundler puts a frame around the message.
    const [first = error] = (error as { errors?: unknown[] }).errors ?? []
    throw new Error(stripVTControlCharacters((first as Error).message), { cause: error })
  }
}

const FILE = 'process.mjs'
