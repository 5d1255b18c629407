import { join } from 'node:path'
import type { Recorder } from '../../wire/recorder.ts'
import { tap, type Tap } from '../../wire/tap.ts'
import { QUESTION } from '../runtime/answers.ts'
import { FILTERED_STREAM, ruleReplacer } from '../runtime/filtered-stream.ts'
import { emptySandbox, type Sandbox } from '../grader/sandbox.ts'
import { lessonNumbered, type Lesson } from '../lessons/catalogue.ts'
import { layOut, mistakeCalled } from '../mistakes/mistakes.ts'
import { ROOT } from '../root.ts'
import { answersQuestions, isFiltered, streamOf } from '../session/lesson-target.ts'
import { startSceneServer, type SceneServer, type SceneServerEvents } from './scene-server.ts'
import type { Scene } from './scene.ts'

/** The running program of a scene. */
export type SceneProgram = Pick<SceneServer, 'burst' | 'fill' | 'drain' | 'kill' | 'processes'> & {
  readonly tap: Tap
  /** The address of its stream: `http://127.0.0.1:41234/events`. */
  readonly url: string
  /** The bearer token that requests need, if the stream is filtered. */
  readonly token?: string
  /** The question that clients ask, if the server answers questions. */
  readonly question?: string
  /** Replaces the rules of a filtered stream by this rule. */
  replaceRules(value: string): Promise<void>
  stop(): Promise<void>
}

/**
 * Runs a scene's program: `solutions/NN-name`, the mistake `test/mistakes/lessonN/name`, or `lessons/NN-name/exhibit`.
 *
 * @throws Error if the program is none of these
 */
export async function runScene(
  { program, query = '', limit }: Scene,
  { recorder, events }: { recorder: Recorder; events: SceneServerEvents },
): Promise<SceneProgram> {
  const { lesson, isExhibit } = wherefrom(program)
  const mistake = program.startsWith(MISTAKES) ? await made(program) : undefined
  const [top = ''] = program.split('/')
  const work = mistake
    ? { folder: mistake.folder, name: program }
    : { folder: join(ROOT, top), name: top }
  const target = { lesson, work, isExhibit }
  const server = await startSceneServer({ target, ...(limit && { limit }), recorder, events })
  const { observer, destination, burst, fill, drain, kill, processes } = server
  const before = await tap({ port: 0, destination, observer })
  const url = `http://127.0.0.1:${before.port}${streamOf({ lesson, isExhibit })}${query}`
  return {
    tap: before,
    url,
    ...(isFiltered({ lesson }) && { token: FILTERED_STREAM.tokens[0] }),
    ...(answersQuestions({ lesson }) && { question: QUESTION }),
    replaceRules: ruleReplacer(url),
    burst,
    fill,
    drain,
    kill,
    ...(processes && { processes }),
    async stop() {
      const stopped = server.stop()
      await before.close()
      await stopped
      await mistake?.remove()
    },
  }
}

function wherefrom(program: string): { lesson: Lesson; isExhibit: boolean } {
  const [, solved, mistaken, shown] =
    /^(?:solutions\/(\d\d)-[a-z-]+|test\/mistakes\/lesson(\d+)\/[a-z0-9-]+|lessons\/(\d\d)-[a-z-]+\/exhibit)$/.exec(
      program,
    ) ?? []
  const lesson = lessonNumbered(Number(solved ?? mistaken ?? shown))
  if (!lesson) throw new Error(`"${program}" is not a solution, a mistake or an exhibit`)
  return { lesson, isExhibit: shown !== undefined }
}

/** Creates a sandbox that contains the lesson's solution with the mistake in it. */
async function made(program: string): Promise<Sandbox> {
  const sandbox = await emptySandbox()
  layOut(mistakeCalled(program.slice(MISTAKES.length)), sandbox.folder)
  return sandbox
}

const MISTAKES = 'test/mistakes/'
