import type { Action, Answer } from '../state.ts'
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

export function say(text: string, isProblem = false): void {
  said.set({ text, isProblem, times: said.get().times + 1 })
}
