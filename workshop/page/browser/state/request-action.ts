import type { Action, Answer } from '../../../../protocol/page.ts'
import { notify } from './notification.ts'
import { post } from './post.ts'

/** Sends an action to the workshop and shows its answer to the reader. */
export async function requestAction(action: Action): Promise<void> {
  try {
    const response = await post('/do', action)
    if (response.ok || response.status === 409) {
      const answer = (await response.json()) as Answer
      if ('said' in answer) notify(answer.said)
      else notify(answer.problem, true)
    } else {
      notify(`The workshop answered ${response.status}: ${(await response.text()).trim()}`, true)
    }
  } catch {
    notify('The workshop does not answer. Is it running?', true)
  }
}
