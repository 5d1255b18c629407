import type { Paint } from '../terminal/colour.ts'
import { lessons, type Lesson } from './catalogue.ts'
import { scoreInWords } from '../../protocol/score.ts'
import { firstOpenTask, progressOf, progressProblem, type Progress } from './progress.ts'

/** Returns the list of lessons, with the learner's progress and the command to run next. */
export function lessonTable(paint: Paint): string {
  const rows = lessons().map((lesson) => ({ lesson, progress: progressOf(lesson.number) }))
  const width = Math.max(...rows.map(({ lesson }) => lesson.title.length))
  const lines = rows.map(({ lesson, progress }) => {
    const minutes = lesson.minutes === undefined ? '' : `${lesson.minutes} min`
    const state = stateOf(lesson, progress)
    const hue = progress.isPassed ? 'good' : 'quiet'
    return `${String(lesson.number).padStart(3)}  ${lesson.title.padEnd(width)}  ${minutes.padStart(6)}  ${paint(hue, state)}`
  })
  const problems = rows.flatMap(({ lesson }) => (lesson.problem ? [lesson.problem] : []))
  const next = rows.find(({ progress }) => !progress.isPassed)
  const advice = next
    ? `Next: ${paint('strong', `npm run lesson ${next.lesson.number}`)}`
    : 'You have passed every lesson. To run one again: npm run lesson 1'
  const damage = progressProblem()
  return ['', ...lines, '', ...problems, ...(damage ? [damage] : []), advice].join('\n')
}

function stateOf(lesson: Lesson, progress: Progress): string {
  const { passed, notGraded, score, isPassed, gradedAt, outcome } = progress
  if (!gradedAt) return 'not started'
  const when = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' }).format(
    gradedAt,
  )
  const left = notGraded.length > 0 ? `, ${notGraded.length} not graded` : ''
  if (isPassed) return `✓ passed · ${scoreInWords(score)}${left}, ${when}`
  if (outcome === 'error') return `could not be loaded, ${when}`
  if (outcome === 'stuck') return `got stuck, ${when}`
  const task = firstOpenTask(lesson, [...passed, ...notGraded])
  const next = task ? `, next: task ${task.id}` : ''
  return `${scoreInWords(score)}${left}${next}, ${when}`
}
