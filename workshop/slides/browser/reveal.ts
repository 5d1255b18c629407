import Reveal, { type RevealApi } from 'reveal.js'
import Notes from 'reveal.js/plugin/notes'
import Search from 'reveal.js/plugin/search'
import { store } from '../../page/browser/state/store.ts'
import { nextTheme } from '../../page/browser/state/theme.ts'
import { isBlank, runs } from './stage.ts'
import type { SlidePosition } from '../position.ts'
import type { DeckView } from '../deck-view.ts'

/** The factor by which reveal.js scales the deck on this screen. Charts need the factor, because they are drawn in pixels. */
export const scale = store(1)

/** The current position of the deck. The instructor's moves change the followers' positions. */
export const position = store<SlidePosition>({ h: 0, v: 0, f: -1 })

/** Whether the instructor shows how to follow. */
export const isJoinShown = store(false)

/**
 * Whether this is a frame of the speaker view or the deck for printing. In both cases, the deck only shows slides. It
 * sends and runs nothing.
 */
export const isPassive = /[?&](receiver|print-pdf)\b/.test(location.search)

/** Whether the deck is printed with the notes. */
const isWithNotes = /[?&]with-notes\b/.test(location.search)

/** Whether this is the deck for printing. */
export const isPrinted = /[?&]print-pdf\b/.test(location.search)

/** Whether this is the frame of the speaker view that shows the next slide. */
const isUpcoming = /[?&]receiver\b.*&controls=false\b/.test(location.search)

/** Whether this is the frame of the speaker view that shows the current slide. */
export const isSpeakersSlide = /[?&]receiver\b/.test(location.search) && !isUpcoming

/** Turns the contents of `element` into a deck. */
export async function startReveal(
  element: HTMLElement,
  { role, startsAt }: Pick<DeckView, 'role' | 'startsAt'>,
): Promise<RevealApi> {
  const isInstructor = role.role === 'instructor'
  const reveal = new Reveal(element, {
    width: WIDTH,
    height: HEIGHT,
    margin: 0,
    // Fill any screen, up to 8K.
    maxScale: 6,
    // On a narrow screen, reveal.js would turn the deck into a page to scroll, in which a follower loses the slide.
    scrollActivationWidth: 0,
    // Do not centre the text, because people look at the top of a slide first.
    center: false,
    controls: false,
    hash: isInstructor && !isPassive,
    // If a button has the focus, let the space bar press the button.
    keyboardCondition: ({ key, target }: KeyboardEvent) =>
      !(key === ' ' && target instanceof HTMLButtonElement),
    navigationMode: 'linear',
    slideNumber: 'c/t',
    transition: 'none',
    backgroundTransition: 'none',
    pdfSeparateFragments: false,
    showNotes: isWithNotes && 'separate-page',
    // Turn on reveal's own pacing, unless an agenda has another. The value does not matter, because each slide has its own
    // timing.
    ...(startsAt === undefined && { defaultTiming: 60 as never }),
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
  // On paper, every slide is visible. A PDF has bookmarks only for visible headings.
  reveal.on('pdf-ready', () => {
    for (const slide of element.querySelectorAll('section')) {
      slide.removeAttribute('aria-hidden')
      slide.hidden = false
    }
  })
  reveal.on('paused', () => isBlank.set(true))
  reveal.on('resumed', () => isBlank.set(false))
  reveal.addKeyBinding({ keyCode: 84, key: 'T', description: 'Dark or light' }, nextTheme)
  if (isInstructor) {
    reveal.addKeyBinding({ keyCode: 67, key: 'C', description: 'Join code' }, () =>
      isJoinShown.set(!isJoinShown.get()),
    )
    reveal.addKeyBinding({ keyCode: 82, key: 'R', description: 'The room' }, () =>
      window.open('./board.html', 'board'),
    )
    reveal.on('slidechanged', () => {
      isJoinShown.set(false)
      // A program runs only as long as its slide is shown.
      runs.set(undefined)
    })
  }
  // Despite its type, the promise resolves with an event.
  await reveal.initialize()
  // Go to the next slide, because the speaker view sends that command before the frame can receive it.
  if (isUpcoming) reveal.next()
  return reveal
}

/** The size in pixels for which slides are designed, which is 16:9. At 4:3, slides have the same width and space below. */
const WIDTH = 1280
const HEIGHT = 720
