import type { PageState } from '../../protocol/page.ts'
import type { Session } from '../page/session.ts'

/** The listeners for changes in the page's state. */
export type Listeners = {
  tell(slice: keyof PageState): void
  listen: Session['listen']
}

export function listeners(): Listeners {
  const all = new Set<(slice: keyof PageState) => void>()
  return {
    tell(slice) {
      for (const changed of all) changed(slice)
    },
    listen(changed) {
      all.add(changed)
      return () => all.delete(changed)
    },
  }
}
