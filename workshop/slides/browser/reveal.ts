import Reveal, { type RevealApi } from 'reveal.js'
import Notes from 'reveal.js/plugin/notes'
import Search from 'reveal.js/plugin/search'
import { store } from '../../page/browser/state/store.ts'
import { nextTheme } from '../../page/browser/state/theme.ts'
import type { SlidePosition } from '../position.ts'
import type { Role } from '../deck-view.ts'

/** How much larger the deck is on this screen than it is written: what is drawn in pixels has to know. */
export const scale = store(1)

/** Where the deck is. A follower's is moved by the instructor. */
export const position = store<SlidePosition>({ h: 0, v: 0, f: -1 })

/** A window of the speaker view, or the deck as it is printed: it shows, and has no business of its own. */
export const isPassive = /[?&](receiver|print-pdf)\b/.test(location.search)

/** The window of the speaker view that shows the slide after this one. */
const isUpcoming = /[?&]receiver\b.*&controls=false\b/.test(location.search)

/** Makes a deck of what is in `element`. */
export async function startReveal(element: HTMLElement, { role }: Role): Promise<RevealApi> {
  const isInstructor = role === 'instructor'
  const reveal = new Reveal(element, {
    width: WIDTH,
    height: HEIGHT,
    margin: 0,
    // The top is where everybody looks first.
    center: false,
    controls: false,
    hash: isInstructor && !isPassive,
    // The space bar is for the button that has the focus.
    keyboardCondition: ({ key, target }: KeyboardEvent) =>
      !(key === ' ' && target instanceof HTMLButtonElement),
    navigationMode: 'linear',
    slideNumber: 'c/t',
    transition: 'none',
    backgroundTransition: 'none',
    pdfSeparateFragments: false,
    // For the pacing of the speaker view, which looks at each slide's own.
    defaultTiming: 60 as never,
    plugins: [Search, ...(isInstructor ? [Notes] : [])],
  })
  const look = (): void => {
    const root = document.documentElement
    scale.set(root.matches('.reveal-print, .print-pdf') ? 1 : reveal.getScale())
    root.style.setProperty('--scale', String(scale.get()))
  }
  const moved = (): void => {
    const { h, v, f = -1 } = reveal.getIndices()
    position.set({ h, v, f })
  }
  for (const event of ['ready', 'resize', 'pdf-ready']) reveal.on(event, look)
  for (const event of ['ready', 'slidechanged', 'fragmentshown', 'fragmenthidden']) {
    reveal.on(event, moved)
  }
  reveal.addKeyBinding({ keyCode: 84, key: 'T', description: 'Dark or light' }, nextTheme)
  // What it promises is an event, whatever its types say.
  await reveal.initialize()
  // The speaker view tells it so before it can hear it.
  if (isUpcoming) reveal.next()
  return reveal
}

/** What a slide is written for, in pixels: 16:9. On 4:3 it is as wide, and has room below. */
const WIDTH = 1280
const HEIGHT = 720
