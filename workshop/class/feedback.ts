import { legible } from '../../wire/visible.ts'
import { decisive, scoreOf } from '../../protocol/score.ts'
import { lessonNumbered, lessons, type Lesson } from '../lessons/catalogue.ts'
import { taskOf } from '../lessons/task-of.ts'
import { wrap } from '../terminal/text.ts'
import { stoppedBy, wordOf, type Grade, type GradedPerson } from './grade.ts'

/**
 * Returns an e-mail to a person: what passed, the first check that fails, and the next step. Paths are those on the
 * person's own machine.
 */
export function feedbackFor({ person, grades }: GradedPerson): string {
  const parts = person.problem ? [notGraded(person.problem)] : aboutLessons(grades)
  const leftOut = [
    ...(person.leftOut ?? []),
    ...grades.flatMap((grade) => grade.leftOut.map((what) => `lesson ${grade.lesson}: ${what}`)),
  ]
  return `${[
    `Hello ${person.name},`,
    ...parts,
    ...(leftOut.length > 0 ? [`These files were left out:\n\n${listOf(leftOut)}`] : []),
  ]
    .map((part) => part.split('\n').map(wrapped).join('\n'))
    .join('\n\n')}\n`
}

function notGraded(problem: string): string {
  return [
    `Your work on the HTTP Streaming Workshop could not be graded: ${problem}.`,
    '',
    ...nextStep(
      'go to the folder of the workshop, run this command with your name, and send the file that it makes.',
      'npm run hand-in NAME',
    ),
  ].join('\n')
}

function nextStep(what: string, ...commands: string[]): string[] {
  return [`Next step: ${what}`, '', ...commands.map(indented)]
}

function aboutLessons(grades: Grade[]): string[] {
  const begun = grades.filter((grade) => wordOf(grade) !== 'not begun')
  if (begun.length === 0) {
    return [
      'In the work that you handed in, no lesson of the HTTP Streaming Workshop is begun.',
      nextStep('begin with lesson 1.', 'npm run lesson 1').join('\n'),
      'If you have begun a lesson, hand in your work again, with npm run hand-in.',
    ]
  }
  return [
    'Your work on the HTTP Streaming Workshop has been graded.',
    ...begun.map((grade) => aboutLesson(grade, lessonNumbered(grade.lesson)!)),
    ...closing(begun),
  ]
}

function aboutLesson(grade: Grade, lesson: Lesson): string {
  const title = `Lesson ${lesson.number}, ${lesson.title}`
  const { outcome, problem, at } = grade
  if (outcome === 'not graded') {
    return `${title}: not graded, which says nothing about your work. ${legible(problem!)}`
  }
  if (outcome === 'error' || outcome === 'stuck') {
    return [
      `${title}: none of the checks could be graded.`,
      '',
      ...legible(problem!).split('\n').map(indented),
      ...(at ? [indented(`at ${at}`)] : []),
      '',
      ...nextStep('mend this, and grade your work.', `npm test -- lesson${lesson.number}`),
    ].join('\n')
  }
  return [
    `${title}: ${outcome === 'pass' ? 'passed' : 'not passed yet'}. ${score(grade)}`,
    ...stop(grade, lesson),
  ].join('\n')
}

function score({ checks }: Grade): string {
  const { core, edgeCases } = scoreOf(checks)
  const edge =
    edgeCases.total > 0 ? `, and ${edgeCases.passed} of ${edgeCases.total} edge cases` : ''
  return `Your code passes ${core.passed} of ${core.total} core checks${edge}.${tasksDone(checks)}`
}

/** Names the tasks whose core checks all pass, if the lesson is not passed. */
function tasksDone(checks: Grade['checks']): string {
  const core = decisive(checks)
  const tasks = [...new Set(core.map(({ id }) => taskOf(id)))]
  const done = tasks.filter((task) =>
    core.every(({ id, state }) => taskOf(id) !== task || state === 'passed'),
  )
  if (done.length === 0 || done.length === tasks.length) return ''
  return ` Tasks that you have completed: ${done.join(', ')}.`
}

function stop(grade: Grade, { number, tasks }: Lesson): string[] {
  const check = stoppedBy(grade)
  if (!check) return []
  const task = taskOf(check.id)
  const title = tasks.find(({ id }) => id === task)?.title
  const named = title ? `${task}, ${title}` : task
  if (check.state === 'not written') {
    return [
      '',
      ...nextStep(`write task ${named}.`, `npm run lesson ${number}`, `npm run hint ${task}`),
    ]
  }
  return [
    '',
    `The first check that fails is ${check.id}: ${check.rule}.`,
    '',
    ...[check.seen, check.expected, check.cause, check.at && `at ${check.at}`]
      .filter((line) => line !== undefined)
      .map((line) => indented(legible(line))),
    '',
    ...nextStep(
      `look at task ${named}. The first command shows what your code does, and the second prints a hint.`,
      `npm run lesson ${number}`,
      `npm run hint ${task}`,
    ),
  ]
}

/** Returns what comes after the lessons, which depends on whether all of them are passed. */
function closing(begun: Grade[]): string[] {
  if (begun.some((grade) => stoppedBy(grade)?.state === 'failed')) {
    return ['If you think that a verdict is wrong, tell your instructor the number of the check.']
  }
  if (begun.some(({ outcome }) => outcome !== 'pass')) return []
  const next = lessons().find(({ number }) => begun.every(({ lesson }) => lesson !== number))
  if (!next) return ['You have passed every lesson.']
  return [
    nextStep(`begin lesson ${next.number}, ${next.title}.`, `npm run lesson ${next.number}`).join(
      '\n',
    ),
  ]
}

function listOf(lines: string[]): string {
  return lines.map((line) => `- ${legible(line)}`).join('\n')
}

function indented(line: string): string {
  return `  ${line}`
}

/** Wraps a line as e-mails do. An indented line stays indented. */
function wrapped(line: string): string {
  const indent = /^ */.exec(line)![0].length
  const lines = wrap(line.slice(indent), WIDTH - indent)
  return lines.map((each) => `${' '.repeat(indent)}${each}`.trimEnd()).join('\n')
}

const WIDTH = 76
