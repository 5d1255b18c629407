import type { Tools } from '../check.ts'

/** Hides the tab. */
export function hideTab({ transcript }: Tools): void {
  transcript.step('the tab is hidden')
  setVisibility('hidden')
  document.dispatchEvent(new window.Event('visibilitychange', { bubbles: true }))
}

/** Makes the tab visible, as it is initially, without dispatching an event. */
export function resetTab(): void {
  setVisibility('visible')
}

/** Shows the tab again, and dispatches the events that a browser would dispatch. */
export function showTab({ transcript }: Tools, { wasFrozen = false } = {}): void {
  transcript.step(wasFrozen ? 'the frozen tab wakes up' : 'the tab is shown again')
  if (wasFrozen) document.dispatchEvent(new window.Event('resume'))
  setVisibility('visible')
  document.dispatchEvent(new window.Event('visibilitychange', { bubbles: true }))
  if (wasFrozen) {
    const event = new window.Event('pageshow')
    window.dispatchEvent(Object.assign(event, { persisted: true }))
    window.dispatchEvent(new window.Event('online'))
    window.dispatchEvent(new window.Event('focus'))
  }
}

function setVisibility(state: 'hidden' | 'visible'): void {
  const values = { visibilityState: state, hidden: state === 'hidden' }
  for (const [name, value] of Object.entries(values)) {
    Object.defineProperty(document, name, { value, configurable: true })
  }
}
