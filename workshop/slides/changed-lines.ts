import { join } from 'node:path'
import { lessonNumbered } from '../lessons/catalogue.ts'
import { filesOf, mistakeCalled } from '../mistakes/mistakes.ts'
import { linesOf } from './quote.ts'

/**
 * Returns the numbers of the lines of a quote, counted from 1, in which a mistake and the solution differ. Compares a mistake
 * with the solution, and the solution with the mistake on the same slide.
 *
 * @param place where the quote is from
 * @param slide the text of the slide, which names its mistake
 */
export function changedLines(place: string, quoted: string, slide: string): number[] {
  const other = counterpartOf(place, slide)
  if (!other) return []
  const same = new Set(other.map((line) => line.trim()))
  const lines = quoted.trimEnd().split('\n')
  const changed = lines.flatMap((line, index) =>
    line.trim() === '// …' || same.has(line.trim()) ? [] : [index + 1],
  )
  // If everything is different, marks would show nothing.
  const isRewritten = changed.length > 1 && changed.length === lines.length
  return isRewritten ? [] : changed
}

/** Returns the lines of the file with which to compare, or undefined if there is none. */
function counterpartOf(place: string, slide: string): string[] | undefined {
  const [path = ''] = place.split('#')
  const [, lesson, mistaken] = /^test\/mistakes\/lesson(\d+)\/[^/]+\/(.+)$/.exec(path) ?? []
  if (mistaken) return linesOf(join('solutions', lessonNumbered(Number(lesson))!.folder, mistaken))
  const [, file] = /^solutions\/\d\d-[^/]+\/(.+)$/.exec(path) ?? []
  const [address] = /\blesson\d+\/[\w-]+/.exec(slide) ?? []
  if (!file || !address) return undefined
  return filesOf(mistakeCalled(address)).get(file)?.split('\n')
}
