import { readStore, writeStore } from '../store.ts'
import type { Paint } from '../terminal/colour.ts'
import { readable } from '../terminal/markdown.ts'
import type { Task } from './readme.ts'

/** The next hint of a task, ready to print, with how many there are. */
export function hintText(task: Task, { width, paint }: { width: number; paint: Paint }): string {
  const title = paint('strong', `${task.id} ${task.title}`)
  const hint = nextHint(task)
  if (!hint) return `${title}\n\n  This task has no hints.`
  const left = hint.of - hint.number
  const more = left === 0 ? 'This was the last one' : `${left} more`
  const again =
    hint.again && hint.number === 1 ? 'You have seen them all; from the start again.\n\n' : ''
  return [
    `${again}${title} · hint ${hint.number} of ${hint.of}`,
    readable(hint.text, { width, paint }),
    `${more}: npm run hint ${task.id}`.replace('one:', 'one. From the start:'),
  ].join('\n\n')
}

/** The next hint of a task, counted from 1; after the last one they begin again. */
type NextHint = { text: string; number: number; of: number; again: boolean }

/** Takes the next hint and remembers that it was taken; undefined when the task has none. */
function nextHint({ id, hints }: Task): NextHint | undefined {
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
