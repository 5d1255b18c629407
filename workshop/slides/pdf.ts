import { resolve } from 'node:path'
import { lessonNumbered } from '../lessons/catalogue.ts'
import { browser } from '../tools/browser.ts'
import { probe } from '../tools/external-tool.ts'
import { slidesServer } from './server.ts'

/** A handout: a page for each slide, of the whole deck or of one lesson, and on request a page for the notes of each slide. */
export type Handout = {
  lesson?: number
  hasNotes: boolean
  /** The path of the PDF, relative to the folder in which the command was typed. */
  file: string
}

/**
 * Parses the words after `npm run slides pdf`, such as `lesson1 notes handout.pdf`. They may be in any order.
 *
 * @returns the handout, or a sentence for the user if a word means nothing
 */
export function handoutIn(words: readonly string[]): Handout | string {
  let lesson: number | undefined
  let hasNotes = false
  let file: string | undefined
  for (const word of words) {
    const [, number] = /^lesson(\d+)$/.exec(word) ?? []
    if (word === 'notes') hasNotes = true
    else if (number !== undefined && lesson === undefined) lesson = Number(number)
    else if (word.toLowerCase().endsWith('.pdf') && file === undefined) file = word
    else
      return `"${word}" is not a lesson such as lesson1, "notes", or the name of a PDF such as handout.pdf.`
  }
  if (lesson !== undefined && !lessonNumbered(lesson)) return `There is no lesson ${lesson}.`
  const name = ['slides', lesson !== undefined && `lesson${lesson}`, hasNotes && 'notes']
  return {
    hasNotes,
    file: file ?? `${name.filter(Boolean).join('-')}.pdf`,
    ...(lesson !== undefined && { lesson }),
  }
}

/**
 * Prints a handout, with a bookmark for each slide. Prints its path as well.
 *
 * @returns the exit code, which is 1 if there is no browser that could print
 */
export async function pdf({ lesson, hasNotes, file }: Handout): Promise<number> {
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
    const only = lesson === undefined ? '' : `&lesson=${lesson}`
    await page.goto(`${slides.url}/?print-pdf${only}${hasNotes ? '&with-notes' : ''}`)
    await page.locator('.pdf-page').first().waitFor()
    // Wait until every recording and every font has been loaded and drawn.
    await page.locator('.picture:not(:has(canvas))').first().waitFor({ state: 'detached' })
    await page.evaluate('document.fonts.ready')
    const path = resolve(process.env.INIT_CWD ?? process.cwd(), file)
    // The bookmarks are made from the headings, which only a tagged PDF has.
    await page.pdf({
      path,
      preferCSSPageSize: true,
      printBackground: true,
      tagged: true,
      outline: true,
    })
    console.log(path)
    return 0
  } finally {
    await chrome.close()
    await slides.close()
  }
}
