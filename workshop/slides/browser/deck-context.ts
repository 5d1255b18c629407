import { createContext, useContext } from 'react'
import type { ShownDeck } from '../deck-view.ts'

const Context = createContext<ShownDeck | undefined>(undefined)

/** Gives the deck to what is on its slides. */
export const DeckContext = Context.Provider

export function useDeck(): ShownDeck {
  return useContext(Context)!
}
