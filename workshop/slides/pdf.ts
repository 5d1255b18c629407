import { resolve } from 'node:path'
import { browser } from '../tools/browser.ts'
import { probe } from '../tools/external-tool.ts'
import { slidesServer } from './server.ts'

/**
 * `npm run slides pdf FILE`: writes the deck as a hand-out, a page for each slide.
 *
 * @param file from where the command was typed; `slides.pdf` when it is left out
 * @returns the exit code: 1 when there is no browser to print it with
 */
export async function pdf(file = 'slides.pdf'): Promise<number> {
  const seen = probe(browser)
  if ('problem' in seen) {
    console.error(
      `The hand-out is printed by a browser (${seen.problem}). ${browser.advice()}\n\nOr open the deck in yours, with ?print-pdf behind its address, and print that.`,
    )
    return 1
  }
  const { chromium } = await import('@playwright/test')
  const slides = await slidesServer()
  const chrome = await chromium.launch({ executablePath: seen.path })
  try {
    const page = await chrome.newPage({
      viewport: { width: 1280, height: 720 },
      deviceScaleFactor: 2,
    })
    await page.goto(`${slides.url}/?print-pdf`)
    await page.locator('.pdf-page').first().waitFor()
    // Each picture is drawn when its recording is there.
    await page.locator('.picture:not(:has(canvas))').first().waitFor({ state: 'detached' })
    const path = resolve(process.env.INIT_CWD ?? process.cwd(), file)
    await page.pdf({ path, preferCSSPageSize: true, printBackground: true })
    console.log(path)
    return 0
  } finally {
    await chrome.close()
    await slides.close()
  }
}
