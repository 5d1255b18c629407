import { useEffect, useState } from 'react'
import { taskOf } from '../../../lessons/task-of.ts'
import type { LessonState } from '../../../../protocol/page.ts'
import { useSlice } from '../state/page-state.ts'

/** Links to the tasks, with their progress. They stay visible and show which task is being read. */
export function TaskLinks({ tasks }: { tasks: LessonState['tasks'] }) {
  const grading = useSlice('grading')
  const current = useTaskInSight(tasks)
  if (tasks.length === 0) return null
  return (
    <nav className="tasks" aria-label="Tasks">
      <ol>
        {tasks.map(({ id, title }) => {
          const checks = grading?.checks.filter((check) => taskOf(check.id) === id) ?? []
          const passed = checks.filter(({ state }) => state === 'passed').length
          const lacking = checks.filter(({ lacks }) => lacks).length
          const isDone = checks.length > 0 && passed === checks.length
          const isOpen = passed + lacking < checks.length
          const left = lacking > 0 ? `, ${lacking} not graded` : ''
          const progress = isDone
            ? 'all checks passed'
            : `${passed} of ${checks.length} checks passed${left}`
          return (
            <li key={id}>
              <a
                href={`#task-${id}`}
                title={title}
                aria-current={id === current ? 'location' : undefined}
                aria-label={`${id} ${title}, ${progress}`}
                onClick={(event) => {
                  event.preventDefault()
                  goToTask(id)
                }}
              >
                {id}{' '}
                <span className={isDone ? 'good' : 'quiet'}>
                  {isDone ? '✓' : isOpen ? `${passed}/${checks.length}` : '–'}
                </span>
              </a>
            </li>
          )
        })}
      </ol>
    </nav>
  )
}

export function goToTask(id: string): void {
  const task = document.getElementById(`task-${id}`)
  task?.scrollIntoView()
  task?.querySelector('h3')?.focus({ preventScroll: true })
}

/** Returns the last task whose heading is in the upper third of the window or above it. */
function useTaskInSight(tasks: LessonState['tasks']): string | undefined {
  const [current, setCurrent] = useState<string>()
  useEffect(() => {
    function look(): void {
      const above = tasks.filter(({ id }) => {
        const task = document.getElementById(`task-${id}`)
        return task !== null && task.getBoundingClientRect().top < innerHeight / 3
      })
      setCurrent(above.at(-1)?.id)
    }
    look()
    // Scrolling does not bubble, but it can be captured.
    addEventListener('scroll', look, { capture: true, passive: true })
    return () => removeEventListener('scroll', look, { capture: true })
  }, [tasks])
  return current
}
