import { createContext, useContext } from 'react'
import type { DeckView } from '../deck-view.ts'

const Context = createContext<DeckView | undefined>(undefined)

/** Gives the deck to what is on its slides. */
export const DeckContext = Context.Provider

export function useDeck(): DeckView {
  return useContext(Context)!
}
