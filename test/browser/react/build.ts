import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import { build, type Plugin } from 'vite'
import { filesOf, mistakesOf } from '../../../workshop/mistakes/mistakes.ts'

/** Builds the page and returns its files by path. StrictMode has an effect only in a development build, so this is one. */
export async function builtStage(): Promise<Map<string, string>> {
  const { NODE_ENV } = process.env
  const built = await build({
    root: fileURLToPath(new URL('../../..', import.meta.url)),
    configFile: false,
    mode: 'development',
    logLevel: 'error',
    define: { 'process.env.NODE_ENV': '"development"' },
    plugins: [react(), works()],
    build: {
      write: false,
      minify: false,
      modulePreload: false,
      rolldownOptions: {
        input: fileURLToPath(new URL('page.tsx', import.meta.url)),
        output: { entryFileNames: 'page.js' },
      },
    },
  })
  // Vite sets NODE_ENV, which every child process would inherit.
  if (NODE_ENV === undefined) delete process.env.NODE_ENV
  if (!('output' in built)) throw new Error('The page was not built in one go.')
  const files = built.output.map((file) => [
    `/${file.fileName}`,
    file.type === 'chunk' ? file.code : String(file.source),
  ])
  return new Map(files as [string, string][]).set('/', HTML)
}

const HTML = `<!doctype html>
<html lang="en">
  <title>The stage</title>
  <link rel="icon" href="data:," />
  <main></main>
  <script type="module" src="/page.js"></script>
</html>
`

/**
 * Provides `virtual:works`: the solution and each mistake, by name. Files that a mistake does not change come from the
 * solution. Changed files exist only in memory.
 */
function works(): Plugin {
  const solution = fileURLToPath(new URL('../../../solutions/03-react/', import.meta.url))
  const made = new Map<string, string>()
  const loaders = ['solution', ...mistakesOf(3)].map((work) => {
    const name = typeof work === 'string' ? work : work.name
    const files = typeof work === 'string' ? new Map<string, string>() : filesOf(work)
    const imports = ['useQuakes.ts', 'LiveQuakes.tsx'].map((file) => {
      const text = files.get(file)
      if (text === undefined) return `await import(${JSON.stringify(solution + file)})`
      const id = `${MISTAKES}${name}/${file}`
      made.set(id, text)
      return `await import('${id}')`
    })
    return `'${name}': async () => Object.assign({}, ${imports.join(', ')})`
  })
  return {
    name: 'works',
    enforce: 'pre',
    resolveId(source, importer) {
      if (source === 'virtual:works' || made.has(source)) return source
      // Resolve the imports of a mistake as if its files were next to the solution's.
      return importer?.startsWith(MISTAKES) && source.startsWith('./')
        ? solution + source.slice('./'.length)
        : undefined
    },
    load(id) {
      if (id === 'virtual:works') return `export const works = {\n${loaders.join(',\n')}\n}`
      return made.get(id)
    },
  }
}

const MISTAKES = 'virtual:mistakes/'
