import type { Task } from './readme.ts'
import { readStore, writeStore } from '../store.ts'

/** The next hint of a task, counted from 1; after the last one they begin again. */
export type NextHint = { text: string; number: number; of: number; again: boolean }

/** Takes the next hint and remembers that it was taken; undefined when the task has none. */
export function nextHint({ id, hints }: Task): NextHint | undefined {
  const shown = readStore<Record<string, number>>(FILE)
  const taken = Number(shown[id]) || 0
  const text = hints[taken % hints.length]
  if (text === undefined) return undefined
  writeStore(FILE, { ...shown, [id]: taken + 1 })
  return {
    text,
    number: (taken % hints.length) + 1,
    of: hints.length,
    again: taken >= hints.length,
  }
}

const FILE = 'hints.json'
