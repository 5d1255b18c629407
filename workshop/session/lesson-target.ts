import { solutionsFolder, type Lesson } from '../lessons/catalogue.ts'
import { progressOf } from '../lessons/progress.ts'
import { ownWork, type Work } from '../lessons/args.ts'

/** A program to run: one lesson of somebody's work, or the lesson's exhibit. */
export type LessonTarget = { lesson: Lesson; work: Work; isExhibit: boolean }

/** Returns the path from the work's folder to the folder to run: `01-raw-chunks`, `02-server-sent-events/exhibit`. */
export function targetPath({ lesson, isExhibit }: LessonTarget): string {
  return isExhibit ? `${lesson.folder}/exhibit` : lesson.folder
}

/** Returns the name of the folder for messages: `lessons/01-raw-chunks`. */
export function targetName(target: LessonTarget): string {
  return `${target.work.name}/${targetPath(target)}`
}

/** Returns the path of the stream that the lesson serves: `/events`. */
export function streamOf({
  lesson,
  isExhibit,
}: Pick<LessonTarget, 'lesson' | 'isExhibit'>): string {
  return isExhibit ? '/sse' : (STREAMS[lesson.number] ?? '/')
}

/** Returns whether the learner writes a component that is shown on a page. */
export function showsComponent({ number }: Lesson): boolean {
  return number === REACT
}

/** Returns whether the lesson page has an experiment. */
export function hasExperiment({ lesson, isExhibit }: LessonTarget): boolean {
  return lesson.number === BUFFERING && !isExhibit
}

/** Returns whether the lesson has a client.ts that runs alongside its server. */
export function hasClient({ number }: Lesson): boolean {
  return number === RECONNECTION
}

/**
 * Returns the server.ts to run, which is usually the lesson's own. A component uses the server of lesson 2: the learner's
 * own if that server has passed every check, and otherwise the solution's.
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

/** A server to run: the work that it belongs to, its path in that work, and the name of its file in messages. */
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
