import type { Action, PageState } from '../../protocol/page.ts'
import type { Session } from '../page/session.ts'

/** The keys that inject faults and add slow readers in the terminal, as buttons do on the page. */
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

export function troubleKeys(session: Pick<Session, 'state' | 'act'>): TroubleKeys {
  // Read the state again each time, because the page can switch to another lesson.
  const available = (): Trouble[] =>
    TROUBLE.filter(({ isThere }) => isThere?.(session.state) ?? true)
  return {
    get label() {
      return available()
        .map(({ key, label }) => `${key} ${label(session.state)}`)
        .join(' · ')
    },
    async press(key) {
      const trouble = available().find((each) => each.key === key)
      if (!trouble) return undefined
      const answer = await session.act(trouble.action(session.state))
      return 'problem' in answer ? answer.problem : answer.said
    },
  }
}

type Trouble = {
  key: string
  /** Whether the lesson has this trouble. Absent if every lesson has it. */
  isThere?(state: PageState): boolean
  label(state: PageState): string
  action(state: PageState): Action
}

const TROUBLE: Trouble[] = [
  { key: 'x', label: () => 'cut', action: () => ({ do: 'cut' }) },
  {
    key: 'z',
    label: ({ faults }) => (faults.isStalled ? 'resume' : 'stall'),
    action: ({ faults }) => ({ do: 'stall', on: !faults.isStalled }),
  },
  {
    key: 'p',
    label: ({ faults }) => (faults.proxy ? 'no proxy' : 'proxy'),
    action: ({ faults }) => ({ do: 'proxy', holds: faults.proxy ? null : '4 KiB' }),
  },
  {
    key: 'r',
    isThere: ({ load }) => load !== undefined,
    label: ({ load }) => (load?.slowReaders ? 'remove slow readers' : 'add slow readers'),
    action: ({ load }) => ({ do: load?.slowReaders ? 'remove slow readers' : 'add slow readers' }),
  },
  {
    key: 'r',
    isThere: ({ processes }) => processes !== undefined,
    label: () => 'rolling restart',
    action: () => ({ do: 'restart processes' }),
  },
  {
    key: 'd',
    isThere: ({ processes }) => processes !== undefined,
    label: ({ processes }) => (processes?.isRedisAway ? 'Redis back' : 'Redis away'),
    action: ({ processes }) => ({ do: 'redis', isAway: !processes?.isRedisAway }),
  },
]
