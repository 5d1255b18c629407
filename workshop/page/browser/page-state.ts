import type { PageState } from '../../../protocol/page.ts'
import { store, useStore } from './store.ts'

/** What the workshop last told of itself, slice by slice. */
export const page = store<Partial<PageState>>({})

/** How it stands with the channel. */
export const connection = store<'connecting' | 'live' | 'reconnecting'>('connecting')

/** Whether the workshop was there and is no longer: what the page says of it is from before. */
export function useIsGone(): boolean {
  return useStore(connection, (state) => state === 'reconnecting')
}

export function useSlice<Name extends keyof PageState>(name: Name): PageState[Name] | undefined {
  return useStore(page, (state) => state[name])
}
