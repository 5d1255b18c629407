import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { packHandIn, sourcesIn, type HandIn } from '../class/hand-in.ts'
import { hasChecks } from '../lessons/checks.ts'
import { lessons, lessonsFolder } from '../lessons/catalogue.ts'
import { ROOT } from '../root.ts'
import { refuse } from './refuse.ts'

/** `npm run hand-in ada` packs the sources in lessons/ into `ada.zip`, so that the learner can send them to the instructor. */
export async function handIn(args: string[]): Promise<number> {
  const name = args.join(' ').trim().normalize('NFC')
  if (name === '') return refuse('What is your name? For example: npm run hand-in ada')
  if (!NAME.test(name) || RESERVED.test(name)) {
    return refuse(
      `Your name becomes the name of a file, so "${name}" cannot be used. ` +
        'Use at most 60 letters, digits and spaces. For example: npm run hand-in ada',
    )
  }
  const handedIn = await sourcesIn(
    lessonsFolder,
    lessons().filter(({ number }) => hasChecks(number)),
  )
  if (handedIn.length === 0) {
    return refuse(
      'There is nothing to hand in, because every file in lessons/ is still as you received it.',
    )
  }
  const file = join(ROOT, `${name}.zip`)
  if (existsSync(file)) {
    return refuse(
      `${file} exists already. Rename or delete that file, or hand in under another name: npm run hand-in "${name} 2"`,
    )
  }
  await packHandIn(file, name, handedIn)
  for (const { lesson, files, leftOut } of handedIn) {
    console.log(`lessons/${lesson.folder}: ${files.map(([path]) => path).join(', ')}`)
    for (const what of leftOut) console.log(`  Left out: ${what}`)
  }
  console.log(`\nYour work on ${lessonsOf(handedIn)} is packed. Send this file to your instructor:`)
  console.log(`\n  ${file} (${(statSync(file).size / 1000).toFixed(1)} kB)`)
  return 0
}

/** Matches a name that every file system accepts. It begins and ends with a letter or a digit. */
const NAME = /^[\p{L}\p{N}](?:[\p{L}\p{M}\p{N} ._'’-]{0,58}[\p{L}\p{M}\p{N}])?$/u

/** Matches the names that Windows reserves for devices. */
const RESERVED = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i

function lessonsOf(handedIn: HandIn[]): string {
  const numbers = handedIn.map(({ lesson }) => lesson.number)
  if (numbers.length === 1) return `lesson ${numbers[0]}`
  return `lessons ${numbers.slice(0, -1).join(', ')} and ${numbers.at(-1)}`
}
