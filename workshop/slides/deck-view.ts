import { join } from 'node:path'
import express, { type RequestHandler } from 'express'
import type { Bundle } from '../http/build.ts'
import { agendaDeck, type AgendaChoice } from './agenda-deck.ts'
import { readDeck, slidesFolder, type Chapter } from './deck.ts'
import type { Scene } from './scene.ts'

/** The data that a browser needs to show the deck. */
export type DeckView = {
  chapters: Chapter[]
  /** The scenes. Their names are those of the recordings to show. */
  scenes: Scene[]
  role: Role
  /** The time of day at which each day of the agenda begins, in minutes. Absent if the deck has no agenda. */
  startsAt?: number
}

/** Whether the viewer of the deck presents it or follows along. */
export type Role = Instructor | { role: 'follower' }

/** The instructor, who moves the followers' decks and runs programs on the server at `demoPort`. */
export type Instructor = {
  role: 'instructor'
  demoPort: number
  /** The addresses for followers, and the code that followers need. Absent if the deck is not shared. */
  join?: { urls: string[]; code: string }
}

/** Returns the current deck for a role, with the slides of an agenda or all slides. Only the instructor's deck has the notes. */
export function deckView(role: Role, agenda?: AgendaChoice): DeckView {
  const { chapters, scenes } = agenda ? agendaDeck(agenda) : readDeck()
  const view = { scenes, role, ...(agenda && { startsAt: agenda.startsAt }) }
  if (role.role === 'instructor') return { ...view, chapters }
  return { ...view, chapters: chapters.map(withoutNotes) }
}

export const slidesPage: Bundle = {
  name: 'slides',
  config: 'workshop/slides/vite.config.ts',
  sources: [
    'protocol',
    'solutions/06-resume',
    'wire',
    'workshop/page/browser',
    'workshop/slides/browser',
    'workshop/slides/run-end.ts',
    'workshop/slides/clock.ts',
    'workshop/slides/pacing.ts',
    'workshop/slides/room-summary.ts',
  ],
}

/** Serves the recordings without caching, because a scene may be recorded again while the deck is shown. */
export function recordings(): RequestHandler {
  return express.static(recordingsFolder, { index: false, redirect: false, cacheControl: false })
}

export const recordingsFolder = join(slidesFolder, 'recordings')

export function recordingOf({ name }: Scene): string {
  return join(recordingsFolder, `${name}.ndjson`)
}

function withoutNotes({ name, slides }: Chapter): Chapter {
  return { name, slides: slides.map((slide) => ({ ...slide, notes: '' })) }
}
