import { readStore, writeStore } from '../store.ts'
import type { Paint } from '../terminal/colour.ts'
import { readable } from '../terminal/markdown.ts'
import type { Task } from './readme.ts'

/** Returns the text of a task's next hint and says how many more hints there are. */
export function hintText(task: Task, { width, paint }: { width: number; paint: Paint }): string {
  const title = paint('strong', `${task.id} ${task.title}`)
  const hint = nextHint(task)
  if (!hint) return `${title}\n\n  This task has no hints.`
  const left = hint.of - hint.number
  const more = left === 0 ? 'That was the last hint. To start over' : `${left} more`
  const again =
    hint.again && hint.number === 1
      ? 'You have seen all hints, so this is the first one again.\n\n'
      : ''
  return [
    `${again}${title} · hint ${hint.number} of ${hint.of}`,
    readable(hint.text, { width, paint }),
    `${more}: npm run hint ${task.id}`,
  ].join('\n\n')
}

/** A hint, its number, counted from 1, the number of hints, and whether the learner has already seen all of them. */
type NextHint = { text: string; number: number; of: number; again: boolean }

/** Takes the next hint and remembers that it was shown. Returns undefined if the task has no hints. */
function nextHint({ id, hints }: Task): NextHint | undefined {
  const shown = readStore<Record<string, number>>(FILE)
  // The file may be damaged.
  const taken = Math.max(0, Math.trunc(Number(shown[id]) || 0))
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
