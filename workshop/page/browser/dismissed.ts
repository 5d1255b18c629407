import type { ClientState } from '../../../protocol/page.ts'
import { page } from './page-state.ts'
import { store } from './store.ts'

/** Ids of clients that were over when the wire was cleared: they went with it. */
export const dismissed = store<ReadonlySet<number>>(new Set())

export function isOver({ state }: ClientState): boolean {
  return state !== 'connecting' && state !== 'reading'
}

export function dismissThoseOver(): void {
  const over = (page.get().clients ?? []).filter(isOver)
  dismissed.set(new Set(over.map(({ id }) => id)))
}
