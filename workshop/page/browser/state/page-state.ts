import type { ClientState, PageState } from '../../../../protocol/page.ts'
import { store, useStore } from './store.ts'

/** What the workshop last told of itself, slice by slice. */
export const pageState = store<Partial<PageState>>({})

/** How it stands with the channel that tells it. */
export const channelState = store<'connecting' | 'live' | 'reconnecting'>('connecting')

/** The id of the check that the reader wants to see; undefined is what is told first. */
export const selectedCheck = store<string | undefined>(undefined)

/** Ids of clients that had finished when the wire was cleared: they went with it. */
export const clearedClients = store<ReadonlySet<number>>(new Set())

export function useSlice<Name extends keyof PageState>(name: Name): PageState[Name] | undefined {
  return useStore(pageState, (state) => state[name])
}

/** Tells whether the workshop was there and is no longer: what the page says of it is from before. */
export function useIsGone(): boolean {
  return useStore(channelState, (state) => state === 'reconnecting')
}

export function hasFinished({ state }: ClientState): boolean {
  return state !== 'connecting' && state !== 'reading'
}

export function clearFinishedClients(): void {
  const finished = (pageState.get().clients ?? []).filter(hasFinished)
  clearedClients.set(new Set(finished.map(({ id }) => id)))
}
