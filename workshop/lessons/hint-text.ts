import { readable } from '../terminal/markdown.ts'
import type { Paint } from '../terminal/colour.ts'
import { nextHint } from './hints.ts'
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
