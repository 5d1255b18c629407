import type { SharingState } from './page.ts'

// Says what is shown to whom, in the terminal and on the page. Nothing here needs Node.

/** Returns what is shown to whom: `Your progress is shown to 192.168.1.5:3302 as “Ada”: …` */
export function sharedWhat({ to, name }: SharingState): string {
  return `Your progress is shown to the instructor's board at ${to} as “${name}”: the lesson and task, the number of core checks that pass, and the first check that fails, with its message. It is not stored.`
}

/** Returns a sentence about the connection to the board. */
export function sharingStatus({ state, to, what = '' }: SharingState): string {
  switch (state) {
    case 'connecting':
      return `Connecting to the board at ${to} …`
    case 'shown':
      return `The board at ${to} shows your progress.`
    case 'lost':
      return `The board at ${to} cannot be reached (${what.replace(/\.$/, '')}). The workshop keeps trying, and your work is not affected.`
    case 'ended':
      return `Your progress is no longer shown. ${what}`
  }
}
