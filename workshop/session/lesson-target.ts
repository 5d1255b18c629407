import { lessonNumbered, solutionsFolder, type Lesson } from '../lessons/catalogue.ts'
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

/** Returns the name of the file with the component, if the lesson has a component, which is shown on a page. */
export function componentOf({ lesson, isExhibit }: LessonTarget): string | undefined {
  if (lesson.number === REACT) return isExhibit ? 'SSEExample.jsx' : 'LiveQuakes.tsx'
  return lesson.number === ANSWERS ? 'Chat.tsx' : undefined
}

/** Returns whether the server answers questions instead of sending quakes. */
export function answersQuestions({ lesson }: Pick<LessonTarget, 'lesson'>): boolean {
  return lesson.number === ANSWERS
}

/** Returns whether the lesson page has an experiment. */
export function hasExperiment({ lesson, isExhibit }: LessonTarget): boolean {
  return lesson.number === BUFFERING && !isExhibit
}

/** Returns whether the lesson page shows the load of the server, and offers slow readers. */
export function showsLoad({ lesson, isExhibit }: LessonTarget): boolean {
  return lesson.number === MANY_SOURCES && !isExhibit
}

/** Returns whether the server runs in several processes, and the lesson page shows them. */
export function hasProcesses({ lesson, isExhibit }: LessonTarget): boolean {
  return lesson.number === SCALE_OUT && !isExhibit
}

/**
 * Returns which server.ts to run: usually the lesson's own. A component and a client use the server of an earlier lesson: the
 * learner's own if it has passed that lesson, otherwise the solution's.
 */
export function serverOf(target: LessonTarget): LessonProgram {
  const { lesson, work, isExhibit } = target
  const earlier = SERVERS[lesson.number]
  if (hasProcesses(target)) return ownProgram(target, 'process.ts')
  if (isExhibit || earlier === undefined) return ownProgram(target, 'server.ts')
  const isUsable = work === ownWork && progressOf(earlier).isPassed
  return programOf(isUsable ? ownWork : solutions, earlier, 'server.ts')
}

/**
 * Returns which client.ts to run alongside the server, if there is one. It is the lesson's own client.ts or, in
 * lessons about a server, that of the solution of lesson 6, which can reconnect.
 */
export function clientOf(target: LessonTarget): LessonProgram | undefined {
  const { number } = target.lesson
  if (number === RESUME || number === FILTERED) return ownProgram(target, 'client.ts')
  const isAboutServer = [REPLAY, MANY_SOURCES, SCALE_OUT].includes(number)
  return isAboutServer ? programOf(solutions, RESUME, 'client.ts') : undefined
}

/** Returns which client.ts runs until the learner has written their own, in a lesson that has its own server. */
export function standInOf({ lesson }: LessonTarget): LessonProgram | undefined {
  return lesson.number === FILTERED ? programOf(solutions, FILTERED, 'client.ts') : undefined
}

/** Returns whether clients see only a part of the quakes, and need a token. */
export function isFiltered({ lesson }: Pick<LessonTarget, 'lesson'>): boolean {
  return lesson.number === FILTERED
}

/** A program to run: the work that it belongs to, its folder there, and the name of its file in messages. */
export type LessonProgram = { work: Work; path: string; file: string; isOwn: boolean }

function ownProgram(target: LessonTarget, name: string): LessonProgram {
  const { work } = target
  return { work, path: targetPath(target), file: `${targetName(target)}/${name}`, isOwn: true }
}

function programOf(work: Work, lesson: number, name: string): LessonProgram {
  const path = lessonNumbered(lesson)!.folder
  return { work, path, file: `${work.name}/${path}/${name}`, isOwn: false }
}

const solutions: Work = { folder: solutionsFolder, name: 'solutions' }

const STREAMS: Record<number, string> = {
  1: '/quakes.ndjson',
  2: '/events',
  3: '/events',
  4: '/events',
  5: '/events',
  6: '/events',
  7: '/stream',
  8: '/events',
  9: '/events',
  10: '/answers',
}

const SSE = 2
const REACT = 3
const BUFFERING = 4
const REPLAY = 5
const RESUME = 6
const FILTERED = 7
const MANY_SOURCES = 8
const SCALE_OUT = 9
const ANSWERS = 10

/** Lessons without a server, and the lesson whose server they use. */
const SERVERS: Record<number, number> = { [REACT]: SSE, [RESUME]: REPLAY }
