import { join } from 'node:path'
import express, { type RequestHandler } from 'express'
import type { Bundle } from '../http/build.ts'
import { readDeck, slidesFolder, type Chapter } from './deck.ts'
import type { Scene } from './scene.ts'

/** What a browser needs to show the deck. */
export type DeckView = {
  chapters: Chapter[]
  /** The pictures of the wire, by the names of their scenes. */
  scenes: Scene[]
  role: Role
}

/** Who looks. */
export type Role = Instructor | { role: 'follower' }

/** Moves the others, and runs programs at the port of the demos. */
export type Instructor = {
  role: 'instructor'
  token: string
  demoPort: number
  /** Where others follow, and the code that they need; absent when they are not let in. */
  join?: { urls: string[]; code: string }
}

/** The deck as it is now. Notes are for the instructor alone. */
export function deckView(role: Role): DeckView {
  const { chapters, scenes } = readDeck()
  if (role.role === 'instructor') return { chapters, scenes, role }
  return { chapters: chapters.map(withoutNotes), scenes, role }
}

export const slidesPage: Bundle = {
  name: 'slides',
  config: 'workshop/slides/vite.config.ts',
  sources: [
    'protocol',
    'solutions/05-reconnection',
    'wire',
    'workshop/page/browser',
    'workshop/slides/browser',
  ],
}

/** Serves what was recorded, which may be played anew while the deck is shown. */
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
