/// <reference types="vite/client" />
import { createRoot } from 'react-dom/client'
import 'reveal.js/reset.css'
import 'reveal.js/reveal.css'
import { applyTheme } from '../../page/browser/state/theme.ts'
import type { DeckView } from '../deck-view.ts'
import { Deck } from './Deck.tsx'
import '../../page/browser/colours.css'
import '../../page/browser/ui/space-time.css'
import './deck.css'

applyTheme()
const page = createRoot(document.getElementById('page')!)
try {
  const response = await fetch('./deck.json')
  if (!response.ok) throw new Error((await response.text()).trim())
  page.render(<Deck deck={(await response.json()) as DeckView} />)
} catch (error) {
  page.render(<p className="problem">The slides cannot be shown: {(error as Error).message}</p>)
}
