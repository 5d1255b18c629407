import { resolve } from 'node:path'
import { browser } from '../tools/browser.ts'
import { probe } from '../tools/external-tool.ts'
import { slidesServer } from './server.ts'

/**
 * Writes the deck as a handout with one page per slide, for `npm run slides pdf FILE`.
 *
 * @param file the path of the PDF, relative to the folder in which the command was typed
 * @returns the exit code, which is 1 if there is no browser that could print
 */
export async function pdf(file = 'slides.pdf'): Promise<number> {
  const seen = probe(browser)
  if ('problem' in seen) {
    console.error(
      `A browser is needed to print the handout (${seen.problem}). ${browser.advice()}\n\nOr open the deck in your own browser, add ?print-pdf to its address, and print the page.`,
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
    // Wait until every recording has been loaded and drawn.
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
