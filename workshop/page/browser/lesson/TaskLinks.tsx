import { useEffect, useState } from 'react'
import { taskOf } from '../../../lessons/task-of.ts'
import { decisive, scoreInWords, scoreOf } from '../../../../protocol/score.ts'
import type { LessonState } from '../../../../protocol/page.ts'
import { useSlice } from '../state/page-state.ts'

/** Shows links to the tasks, with their progress. The links stay visible and mark the task that is in sight. */
export function TaskLinks({ tasks }: { tasks: LessonState['tasks'] }) {
  const grading = useSlice('grading')
  const current = useTaskInSight(tasks)
  if (tasks.length === 0) return null
  return (
    <nav className="tasks" aria-label="Tasks">
      <ol>
        {tasks.map(({ id, title }) => {
          const checks = grading?.checks.filter((check) => taskOf(check.id) === id) ?? []
          const decides = decisive(checks)
          const passed = decides.filter(({ state }) => state === 'passed').length
          const lacking = decides.filter(({ lacks }) => lacks).length
          const isDone = decides.length > 0 && passed === decides.length
          const isOpen = passed + lacking < decides.length
          const left = lacking > 0 ? `, ${lacking} not graded` : ''
          const progress = `${isDone ? 'passed' : 'not passed'}, ${scoreInWords(scoreOf(checks))}${left}`
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
                  {isDone ? '✓' : isOpen ? `${passed}/${decides.length}` : '–'}
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
    // Scroll events do not bubble, but they can be captured.
    addEventListener('scroll', look, { capture: true, passive: true })
    return () => removeEventListener('scroll', look, { capture: true })
  }, [tasks])
  return current
}
