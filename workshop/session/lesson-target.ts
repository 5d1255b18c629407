import { solutionsFolder, type Lesson } from '../lessons/catalogue.ts'
import { progressOf } from '../lessons/progress.ts'
import { ownWork, type Work } from '../lessons/args.ts'

/** What is run: one lesson of somebody's work, or the lesson's exhibit. */
export type LessonTarget = { lesson: Lesson; work: Work; isExhibit: boolean }

/** From the folder of the work to the one that is run: `01-raw-chunks`, `02-server-sent-events/exhibit`. */
export function targetPath({ lesson, isExhibit }: LessonTarget): string {
  return isExhibit ? `${lesson.folder}/exhibit` : lesson.folder
}

/** As messages call it: `lessons/01-raw-chunks`. */
export function targetName(target: LessonTarget): string {
  return `${target.work.name}/${targetPath(target)}`
}

/** The path of the stream that it serves: `/events`. */
export function streamOf({
  lesson,
  isExhibit,
}: Pick<LessonTarget, 'lesson' | 'isExhibit'>): string {
  return isExhibit ? '/sse' : (STREAMS[lesson.number] ?? '/')
}

/** Whether the work of a lesson is a component on a page. */
export function showsComponent({ number }: Lesson): boolean {
  return number === REACT
}

/** Whether the page of a lesson has an experiment on it. */
export function hasExperiment({ lesson, isExhibit }: LessonTarget): boolean {
  return lesson.number === BUFFERING && !isExhibit
}

/** Whether a lesson has a client.ts that is run beside its server. */
export function hasClient({ number }: Lesson): boolean {
  return number === RECONNECTION
}

/**
 * Whose server.ts is run, and where: that of the lesson itself. A component of one's own is shown on the streams
 * of lesson 2: the learner's own when they have passed, else the solution's.
 */
export function serverOf(target: LessonTarget): LessonTargetServer {
  const { lesson, work, isExhibit } = target
  if (isExhibit || !showsComponent(lesson)) return serverIn(work, targetPath(target), true)
  const { isPassed } = progressOf(SSE)
  const solutions = { folder: solutionsFolder, name: 'solutions' }
  return serverIn(
    work === ownWork && isPassed ? ownWork : solutions,
    '02-server-sent-events',
    false,
  )
}

/** A server that is run: whose, in which folder of the work, and how messages call it. */
type LessonTargetServer = { work: Work; path: string; file: string; isOwn: boolean }

function serverIn(work: Work, path: string, isOwn: boolean): LessonTargetServer {
  return { work, path, file: `${work.name}/${path}/server.ts`, isOwn }
}

const STREAMS: Record<number, string> = {
  1: '/quakes.ndjson',
  2: '/events',
  3: '/events',
  4: '/events',
  5: '/events',
}

const SSE = 2
const REACT = 3
const BUFFERING = 4
const RECONNECTION = 5
