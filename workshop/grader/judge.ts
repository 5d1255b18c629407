import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { isInside } from '../is-inside.ts'
import { lessonNumbered, solutionsFolder } from '../lessons/catalogue.ts'
import { MEMORY_MB } from './memory.ts'
import type { Run, Thrown } from './run-record.ts'
import type { CheckResult, GradingProblem } from '../../protocol/verdict.ts'

type Judgement = { outcome: 'error' | 'stuck'; problem: GradingProblem }

/** Returns the problem that makes the results of a run meaningless, if there is one. */
export function judge(
  run: Run,
  results: CheckResult[],
  { lesson, sandbox, bail = false }: { lesson: number; sandbox: string; bail?: boolean },
): Judgement | undefined {
  const { loadError, endedFor, endedIn, lastLines, strayErrors, canaryFailed } = run
  if (endedFor === 'silence') {
    return stuck(`Your code did not give the event loop back for 10 seconds, ${during(endedIn)}.`)
  }
  if (endedFor === 'time') {
    return stuck(`Your code was still running after 5 minutes, ${during(endedIn)}.`)
  }
  if (endedFor === 'memory') {
    return error(
      `Your code took more memory than the ${MEMORY_MB} MB that it may have, ${during(endedIn)}.`,
      'Look for what is kept and never let go, and for a loop that awaits nothing.',
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
        'Look for what ends a process: process.exit(), process.kill(), no memory left.',
      ].join('\n'),
    )
  }
  if (!canaryFailed) {
    return error(
      'A check that has to fail did not: this run says nothing about your work.',
      'Your files change how tests are run or compared. Take that out.',
    )
  }
  const [stray] = strayErrors
  if (stray && !failed)
    return error('An error was thrown, and nobody caught it.', told(stray, sandbox))
  return undefined
}

function stuck(what: string): Judgement {
  const detail = 'Look for a loop that awaits nothing, or awaits only what is there already.'
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
    `npm run reset ${lesson} makes the files of the lesson afresh. It saves what you have first.`,
  )
}

/** Returns the files of the solution that the sandbox lacks: `01-raw-chunks/client.ts`. */
function missingFiles(lesson: number, sandbox: string): string[] {
  const { folder } = lessonNumbered(lesson)!
  return readdirSync(join(solutionsFolder, folder))
    .map((file) => join(folder, file))
    .filter((file) => !existsSync(join(sandbox, file)))
}

function during(what: string): string {
  return what === 'loading' ? 'while your files were loaded' : `in check ${what}`
}

/** Returns the message of an error, and the place in the learner's files that threw it. */
function told({ message, frames }: Thrown, sandbox: string): string {
  const frame = frames.find(({ file }) => isInside(sandbox, file))
  const at = frame ? `\nat ${frame.file}:${frame.line}:${frame.column}` : ''
  return stripVTControlCharacters(message) + at
}
