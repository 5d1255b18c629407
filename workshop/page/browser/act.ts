import type { Action, Answer } from '../../../protocol/page.ts'
import { store } from './store.ts'

/** What the page last said to its reader. `times` tells two equal sentences apart. */
export const said = store({ text: '', isProblem: false, times: 0 })

/** Asks the workshop to do something, and says what came of it. */
export async function act(action: Action): Promise<void> {
  try {
    const response = await fetch('/do', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(action),
    })
    if (response.ok || response.status === 409) {
      const answer = (await response.json()) as Answer
      if ('said' in answer) say(answer.said)
      else say(answer.problem, true)
    } else {
      say(`The workshop answered ${response.status}: ${(await response.text()).trim()}`, true)
    }
  } catch {
    say('The workshop does not answer. Is it running?', true)
  }
}

/** It stays for some seconds. */
export function say(text: string, isProblem = false): void {
  clearTimeout(forgetting)
  said.set({ text, isProblem, times: said.get().times + 1 })
  saidAt = performance.now()
  forgetting = setTimeout(unsay, isProblem ? PROBLEM_STAYS_MS : ANSWER_STAYS_MS)
}

export function unsay(): void {
  clearTimeout(forgetting)
  said.set({ text: '', isProblem: false, times: said.get().times })
}

/** Something has changed, of which what was just said may be the news. What was said before may no longer be so. */
export function unsayOld(): void {
  if (performance.now() - saidAt > NEWS_MS) unsay()
}

const ANSWER_STAYS_MS = 10_000
const PROBLEM_STAYS_MS = 30_000
const NEWS_MS = 1000

let saidAt = 0
let forgetting: ReturnType<typeof setTimeout> | undefined
