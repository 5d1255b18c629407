import type { Action, FaultState } from '../../protocol/page.ts'
import type { Session } from '../page/session.ts'

/** The keys that inject faults in the terminal, as buttons do on the page. */
export type TroubleKeys = {
  /** Lists the keys with their current effects: `x cut · z stall · p proxy`. */
  readonly label: string
  /**
   * Injects the fault that belongs to a key.
   *
   * @returns a sentence about what was done, or undefined if no fault belongs to the key
   */
  press(key: string): Promise<string | undefined>
}

export function troubleKeys({ state, act }: Pick<Session, 'state' | 'act'>): TroubleKeys {
  const faults = (): FaultState => state.faults
  return {
    get label() {
      return TROUBLE.map(({ key, label }) => `${key} ${label(faults())}`).join(' · ')
    },
    async press(key) {
      const trouble = TROUBLE.find((each) => each.key === key)
      if (!trouble) return undefined
      const answer = await act(trouble.action(faults()))
      return 'problem' in answer ? answer.problem : answer.said
    },
  }
}

type Trouble = {
  key: string
  label(faults: FaultState): string
  action(faults: FaultState): Action
}

const TROUBLE: Trouble[] = [
  { key: 'x', label: () => 'cut', action: () => ({ do: 'cut' }) },
  {
    key: 'z',
    label: ({ isStalled }) => (isStalled ? 'resume' : 'stall'),
    action: ({ isStalled }) => ({ do: 'stall', on: !isStalled }),
  },
  {
    key: 'p',
    label: ({ proxy }) => (proxy ? 'no proxy' : 'proxy'),
    action: ({ proxy }) => ({ do: 'proxy', holds: proxy ? null : '4 KiB' }),
  },
]
