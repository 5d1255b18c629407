import type { Browser, Page } from '@playwright/test'
import { browser as tool } from '../tools/browser.ts'
import type { Arrivals, MeasuringClient } from './node-client.ts'

/** How a browser reads a stream: a script asks for it, or it is the page itself. */
export type BrowserApi = 'fetch()' | 'EventSource' | 'a page'

/** A client in a real browser, which is started for the first of them and serves all. */
export function browserClient(browserApi: BrowserApi): MeasuringClient {
  return {
    async read(url) {
      const page = await openPage()
      try {
        const { head, arrived } = await READ[browserApi](page, url)
        // Asked of the page that has read: each has a clock of its own.
        const clock = await clockOf(page)
        return { head: head + clock, arrived: arrived.map((at) => at + clock) }
      } finally {
        await page.close()
      }
    },
    visit(url) {
      const opened = openPage()
      // It never gets to the end.
      void opened.then((page) => READ[browserApi](page, url)).catch(() => {})
      return async () => (await opened).close()
    },
  }
}

/** Ends the browser, if one was started. */
export async function closeBrowser(): Promise<void> {
  const old = running
  running = undefined
  // One that did not start has told those who wanted it.
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
  // Loaded here: it takes its time.
  const { chromium } = await import('@playwright/test')
  return chromium.launch({ executablePath: tool.find()! })
}

/**
 * What is to be added to a time of the page to get one of this process, as the fastest of some answers says. Its way
 * back counts as none: so nothing arrives before it was written.
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

/** Scripts are text: what compiles this file would add helpers that a page does not have. */
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
        // Its response is over.
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

/** On a page of the same server, so that the script may ask it. */
async function inScript(page: Page, url: string, script: string): Promise<Arrivals> {
  await page.goto(new URL('/', url).href)
  return page.evaluate<Arrivals>(`(${script})(${JSON.stringify(url)})`)
}

/** Looks at each frame how many events the page has. Its head is there when there is a page. */
const FRAMES = `
  measured = { head: ${NOW}, arrived: [] }
  const look = () => {
    const count = (document.documentElement?.textContent ?? '').split('data: ').length - 1
    while (measured.arrived.length < count) measured.arrived.push(${NOW})
    requestAnimationFrame(look)
  }
  requestAnimationFrame(look)
`
