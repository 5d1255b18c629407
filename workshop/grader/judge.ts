import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { isInside } from '../is-inside.ts'
import { lessonNumbered, solutionsFolder } from '../lessons/catalogue.ts'
import { MEMORY_MB } from './memory.ts'
import type { Run, Thrown } from './run-record.ts'
import type { CheckResult, GradingProblem } from '../../protocol/verdict.ts'

type Judgement = { outcome: 'error' | 'stuck'; problem: GradingProblem }

/** Returns the reason why the results of a run cannot be trusted, or undefined if they can. */
export function judge(
  run: Run,
  results: CheckResult[],
  { lesson, sandbox, bail = false }: { lesson: number; sandbox: string; bail?: boolean },
): Judgement | undefined {
  const { loadError, endedFor, endedIn, lastLines, topLevelAwaits, noPort, strayErrors, forged } =
    run
  if (endedFor === 'silence') {
    return stuck(`Your code blocked the event loop for 10 seconds, ${during(endedIn)}.`)
  }
  if (endedFor === 'waiting') {
    return neverSettled(endedIn, topLevelAwaits)
  }
  if (endedFor === 'time') {
    return stuck(`Your code was still running after 5 minutes, ${during(endedIn)}.`)
  }
  if (endedFor === 'memory') {
    return error(
      `Your code used more than the ${MEMORY_MB} MB of memory that it may use, ${during(endedIn)}.`,
      'Look for a collection that only grows, and for a loop without an await.',
    )
  }
  if (noPort) {
    return error(
      `The workshop found no free TCP port (${noPort}), so this run says nothing about your work.`,
      'End programs that keep many connections open, and grade again.',
    )
  }
  if (loadError) return notLoaded(loadError, lesson, sandbox)

  const failed = results.some(({ state }) => state === 'failed')
  const ended = results.some(({ state, lacks }) => state === 'not run' && !lacks)
  if (ended && !(bail && failed)) {
    return error(
      `The process ended before the checks did, ${during(endedIn)}.`,
      [
        ...lastLines,
        'Look for anything that ends a process: process.exit(), process.kill(), running out of memory.',
      ].join('\n'),
    )
  }
  if (forged) {
    return error(
      'A check did not report its own result, so this run says nothing about your work.',
      'Your files change how tests run or how values are compared. Remove that code.',
    )
  }
  const [stray] = strayErrors
  if (stray && !failed)
    return error('Your code threw an error that nothing caught.', told(stray, sandbox))
  return undefined
}

function stuck(what: string): Judgement {
  const detail =
    'Look for a loop without an await, or one that only awaits values that are already there.'
  return { outcome: 'stuck', problem: { what, detail } }
}

function neverSettled(endedIn: string, topLevelAwaits: string[] = []): Judgement {
  const what = `Nothing happened for 15 seconds, ${during(endedIn)}.`
  const isLoading = endedIn === 'loading' && topLevelAwaits.length > 0
  const detail = isLoading
    ? `Your files wait outside any function, in ${topLevelAwaits.join(' and ')}. Move that await into a function.`
    : 'Look for a promise that your code returns or awaits, and that never settles.'
  return { outcome: 'stuck', problem: { what, detail } }
}

function error(what: string, detail: string): Judgement {
  return { outcome: 'error', problem: { what, detail } }
}

function notLoaded(loadError: Thrown, lesson: number, sandbox: string): Judgement {
  const missing = missingFiles(lesson, sandbox)
  if (missing.length === 0)
    return error('Your files could not be loaded.', told(loadError, sandbox))
  return error(
    `${missing.map((file) => join(sandbox, file)).join(' and ')} ${missing.length > 1 ? 'are' : 'is'} missing.`,
    `npm run reset ${lesson} creates the files of the lesson again. It saves your files first.`,
  )
}

/** Returns the solution's files that the sandbox does not have: `01-raw-chunks/client.ts`. */
function missingFiles(lesson: number, sandbox: string): string[] {
  const { folder } = lessonNumbered(lesson)!
  return readdirSync(join(solutionsFolder, folder))
    .map((file) => join(folder, file))
    .filter((file) => !existsSync(join(sandbox, file)))
}

function during(what: string): string {
  return what === 'loading' ? 'while your files were loaded' : `in check ${what}`
}

/** Describes an error, with its place in the learner's files. */
function told({ message, frames }: Thrown, sandbox: string): string {
  const frame = frames.find(({ file }) => isInside(sandbox, file))
  const at = frame ? `\nat ${frame.file}:${frame.line}:${frame.column}` : ''
  return stripVTControlCharacters(message) + at
}
