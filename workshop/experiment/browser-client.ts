import type { Browser, Page } from '@playwright/test'
import { browser as tool } from '../tools/browser.ts'
import type { Arrivals, MeasuringClient } from './node-client.ts'

/** The way in which a browser reads a stream: in a script, or as the page itself. */
export type BrowserApi = 'fetch()' | 'EventSource' | 'a page'

/** Returns a client in a real browser. All clients share one browser, which is started once. */
export function browserClient(browserApi: BrowserApi): MeasuringClient {
  return {
    async read(url) {
      const page = await openPage()
      try {
        const { head, arrived } = await READ[browserApi](page, url)
        // Each page has its own clock, so measure the offset of this page's clock.
        const clock = await clockOf(page)
        return { head: head + clock, arrived: arrived.map((at) => at + clock) }
      } finally {
        await page.close()
      }
    },
    visit(url) {
      const opened = openPage()
      // The stream never ends, so do not wait for the reading to finish.
      void opened.then((page) => READ[browserApi](page, url)).catch(() => {})
      return async () => (await opened).close()
    },
  }
}

/** Closes the browser, if it was started. */
export async function closeBrowser(): Promise<void> {
  const old = running
  running = undefined
  // If the browser could not start, its clients have already reported that.
  await old?.then(
    (browser) => browser.close(),
    () => {},
  )
}

let running: Promise<Browser> | undefined

async function openPage(): Promise<Page> {
  running ??= start()
  return (await running).newPage()
}

async function start(): Promise<Browser> {
  // Load Playwright lazily, because it is slow to load.
  const { chromium } = await import('@playwright/test')
  return chromium.launch({ executablePath: tool.find()! })
}

/**
 * Returns the offset that converts a time on the page's clock to a time on this process's clock. It uses the fastest of
 * ten answers and ignores how long the answer took to return, so that no event seems to arrive before it was written.
 */
async function clockOf(page: Page): Promise<number> {
  let best = { took: Infinity, offset: 0 }
  for (let tries = 0; tries < 10; tries += 1) {
    const asked = performance.now()
    const there = await page.evaluate<number>(NOW)
    const answered = performance.now()
    if (answered - asked < best.took) best = { took: answered - asked, offset: answered - there }
  }
  return best.offset
}

/** The current time on the page. Scripts for the page are strings, because the compiler would add helpers that the page lacks. */
const NOW = 'performance.timeOrigin + performance.now()'

const READ: Record<BrowserApi, (page: Page, url: string) => Promise<Arrivals>> = {
  'fetch()': (page, url) =>
    inScript(
      page,
      url,
      `async (url) => {
        const response = await fetch(url)
        const head = ${NOW}
        const arrived = []
        let text = ''
        for await (const piece of response.body.pipeThrough(new TextDecoderStream())) {
          const events = (text + piece).split('\\n\\n')
          text = events.pop()
          arrived.push(...events.map(() => ${NOW}))
        }
        return { head, arrived }
      }`,
    ),
  EventSource: (page, url) =>
    inScript(
      page,
      url,
      `(url) => new Promise((resolve) => {
        const source = new EventSource(url)
        let head
        const arrived = []
        source.onopen = () => { head = ${NOW} }
        source.onmessage = () => arrived.push(${NOW})
        // The response has ended.
        source.onerror = () => {
          source.close()
          resolve({ head, arrived })
        }
      })`,
    ),
  async 'a page'(page, url) {
    await page.addInitScript(FRAMES)
    await page.goto(url)
    return page.evaluate<Arrivals>(`new Promise((resolve) => {
      requestAnimationFrame(() => requestAnimationFrame(() => resolve(measured)))
    })`)
  },
}

/** Runs a script on a page of the same server, so that the script's request is same-origin. */
async function inScript(page: Page, url: string, script: string): Promise<Arrivals> {
  await page.goto(new URL('/', url).href)
  return page.evaluate<Arrivals>(`(${script})(${JSON.stringify(url)})`)
}

/** Counts the events on the page at each frame. The head counts as arrived as soon as the page exists. */
const FRAMES = `
  measured = { head: ${NOW}, arrived: [] }
  const look = () => {
    const count = (document.documentElement?.textContent ?? '').split('data: ').length - 1
    while (measured.arrived.length < count) measured.arrived.push(${NOW})
    requestAnimationFrame(look)
  }
  requestAnimationFrame(look)
`
