import { createContext, useContext } from 'react'
import type { DeckView } from '../deck-view.ts'

const Context = createContext<DeckView | undefined>(undefined)

/** Makes the deck available to the components on its slides. */
export const DeckContext = Context.Provider

export function useDeck(): DeckView {
  return useContext(Context)!
}
