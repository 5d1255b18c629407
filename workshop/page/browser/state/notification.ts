import { store } from './store.ts'

/** What the page last said to its reader. `times` tells two equal sentences apart. */
export const notification = store({ text: '', isProblem: false, times: 0 })

/** Says something to the reader. It stays for some seconds. */
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

/** Dismisses what was said before the state changed. What was just said may be the news of that change, and stays. */
export function dismissStale(): void {
  if (performance.now() - notifiedAt > NEWS_MS) dismiss()
}

const ANSWER_STAYS_MS = 10_000
const PROBLEM_STAYS_MS = 30_000
const NEWS_MS = 1000

let notifiedAt = 0
let timer: ReturnType<typeof setTimeout> | undefined
