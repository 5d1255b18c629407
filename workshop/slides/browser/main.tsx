/// <reference types="vite/client" />
import { createRoot } from 'react-dom/client'
import 'reveal.js/reset.css'
import 'reveal.js/reveal.css'
import { applyTheme } from '../../page/browser/state/theme.ts'
import type { DeckView } from '../deck-view.ts'
import { Deck } from './Deck.tsx'
import '../../page/browser/colours.css'
import './fonts.ts'
import '../../page/browser/ui/space-time.css'
import './deck.css'

applyTheme()
const page = createRoot(document.getElementById('page')!)
try {
  const response = await fetch('./deck.json')
  if (!response.ok) throw new Error((await response.text()).trim())
  page.render(<Deck deck={onlyLesson((await response.json()) as DeckView)} />)
} catch (error) {
  page.render(<p className="problem">The slides cannot be shown: {(error as Error).message}</p>)
}

/** Returns the deck with one lesson if the address names a lesson, as for a handout of that lesson. */
function onlyLesson(deck: DeckView): DeckView {
  const lesson = new URLSearchParams(location.search).get('lesson')
  if (lesson === null) return deck
  return {
    ...deck,
    chapters: deck.chapters.filter(({ name }) => Number.parseInt(name) === Number(lesson)),
  }
}
