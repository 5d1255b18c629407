import { store } from './store.ts'

/** The last message that was shown to the reader. `times` distinguishes a repeated message from the one before it. */
export const notification = store({ text: '', isProblem: false, times: 0 })

/** Shows a message to the reader for some seconds. */
export function notify(text: string, isProblem = false): void {
  clearTimeout(timer)
  notification.set({ text, isProblem, times: notification.get().times + 1 })
  notifiedAt = performance.now()
  timer = setTimeout(dismiss, isProblem ? PROBLEM_STAYS_MS : ANSWER_STAYS_MS)
}

export function dismiss(): void {
  clearTimeout(timer)
  notification.set({ text: '', isProblem: false, times: notification.get().times })
}

/** Dismisses an old message after a change of state. A new message stays, because it may be about this very change. */
export function dismissStale(): void {
  if (performance.now() - notifiedAt > NEWS_MS) dismiss()
}

const ANSWER_STAYS_MS = 10_000
const PROBLEM_STAYS_MS = 30_000
const NEWS_MS = 1000

let notifiedAt = 0
let timer: ReturnType<typeof setTimeout> | undefined
