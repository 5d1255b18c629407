import { createContext, useContext } from 'react'
import type { DeckView } from '../deck-view.ts'

const Context = createContext<DeckView | undefined>(undefined)

/** Makes the deck available to the components on its slides. */
export const DeckContext = Context.Provider

export function useDeck(): DeckView {
  return useContext(Context)!
}

const Place = createContext<{ h: number; v: number }>({ h: 0, v: 0 })

/** Makes the place of a slide available to the components on it. */
export const PlaceContext = Place.Provider

export function usePlace(): { h: number; v: number } {
  return useContext(Place)
}
