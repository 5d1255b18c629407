import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import { build } from 'vite'

/** The files of the page, by path: made for development, where StrictMode does what it is there for. */
export async function builtStage(): Promise<Map<string, string>> {
  const { NODE_ENV } = process.env
  const built = await build({
    root: fileURLToPath(new URL('../../..', import.meta.url)),
    configFile: false,
    mode: 'development',
    logLevel: 'error',
    define: { 'process.env.NODE_ENV': '"development"' },
    plugins: [react(), besideTheSolution()],
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
  // Vite sets it, and would leave it to every program that is started from here.
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

/** A mistake in one file has the other one from the solution. */
function besideTheSolution(): import('vite').Plugin {
  return {
    name: 'beside the solution',
    enforce: 'pre',
    resolveId(source, importer) {
      if (source !== './useQuakes.ts' || !importer?.includes('/mistakes/')) return undefined
      return fileURLToPath(new URL('../../../solutions/03-react/useQuakes.ts', import.meta.url))
    },
  }
}
