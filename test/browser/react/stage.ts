import { test as base, type Page } from '@playwright/test'
import { builtStage } from './build.ts'
import type { Stage } from './page.tsx'
import { streams, type Streams } from './streams.ts'

declare global {
  interface Window {
    stage: Stage
  }
}

/** What a component shows, and its history. */
type Shown = Omit<Stage['shown'][number], 'retry'>

/** The page on which a test renders components. */
export type Show = {
  readonly page: Page
  /** Renders a component with the hook for each URL, in StrictMode. An empty entry renders nothing. */
  draw(...urls: (string | null)[]): Promise<void>
  /** Renders the components without StrictMode. */
  drawOnce(...urls: (string | null)[]): Promise<void>
  shown(n?: number): Promise<Shown>
  /** Waits until a component shows the wanted values. */
  shows(wanted: Partial<Shown>, n?: number): Promise<void>
  /** Waits until the page's last EventSource is in the given state. */
  source(readyState: 0 | 1 | 2): Promise<void>
  /** Returns the number of EventSources that were created, and the number of those that have not been closed. */
  made(): Promise<number>
  open(): Promise<number>
}

/**
 * Adds two fixtures: `serve()` starts a server of streams, and `show()` opens the page with the hook of the `solution`
 * or of a mistake in test/mistakes/lesson3:
 *
 *     test('a quake is shown', async ({ serve, show }) => {
 *       const server = await serve()
 *       const { draw, shows } = await show('solution')
 *       await draw(server.url)
 */
export const test = base.extend<
  {
    serve(): Promise<Streams>
    show(name: string): Promise<Show>
  },
  { files: ReadonlyMap<string, string>; stageServer: Streams }
>({
  files: [
    // oxlint-disable-next-line no-empty-pattern
    async ({}, use) => use(await builtStage()),
    { scope: 'worker' },
  ],
  stageServer: [
    async ({ files }, use) => {
      const server = await streams(files)
      await use(server)
      await server.kill()
    },
    { scope: 'worker' },
  ],
  // oxlint-disable-next-line no-empty-pattern
  serve: async ({}, use) => {
    const servers: Streams[] = []
    await use(async () => {
      servers.push(await streams())
      return servers.at(-1)!
    })
    await Promise.all(servers.map((server) => server.kill()))
  },
  show: async ({ page, stageServer }, use) => {
    page.setDefaultTimeout(60_000)
    await use(async (name) => {
      await page.goto(new URL('/', stageServer.url).href)
      await page.evaluate((wanted) => window.stage.use(wanted), name)
      return showOn(page)
    })
  },
})

function showOn(page: Page): Show {
  return {
    page,
    draw: (...urls) => page.evaluate((all) => window.stage.draw(all), urls),
    drawOnce: (...urls) => page.evaluate((all) => window.stage.draw(all, { strict: false }), urls),
    shown: (n = 0) => page.evaluate((at) => ({ ...window.stage.shown[at]!, retry: null }), n),
    async shows(wanted, n = 0) {
      await page.waitForFunction(
        ([at, fields]) => {
          const shown: Record<string, unknown> = { ...window.stage.shown[at] }
          return Object.entries(fields).every(
            ([name, value]) => JSON.stringify(shown[name]) === JSON.stringify(value),
          )
        },
        [n, wanted] as const,
      )
    },
    async source(readyState) {
      await page.waitForFunction(
        (wanted) => window.stage.sources.at(-1)?.readyState === wanted,
        readyState,
      )
    },
    made: () => page.evaluate(() => window.stage.sources.length),
    open: () => page.evaluate(() => window.stage.open),
  }
}
