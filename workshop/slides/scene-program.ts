import { join } from 'node:path'
import type { Recorder } from '../../wire/recorder.ts'
import { tap, type Tap } from '../../wire/tap.ts'
import {
  startLearnerServer,
  type LearnerServer,
  type ServerEvents,
} from '../runtime/learner-server.ts'
import { QUESTION } from '../runtime/answers.ts'
import { FILTERED_STREAM, ruleReplacer } from '../runtime/filtered-stream.ts'
import { emptySandbox, type Sandbox } from '../grader/sandbox.ts'
import { lessonNumbered, type Lesson } from '../lessons/catalogue.ts'
import { layOut, mistakeCalled } from '../mistakes/mistakes.ts'
import { ROOT } from '../root.ts'
import { answersQuestions, isFiltered, streamOf } from '../session/lesson-target.ts'
import type { Scene } from './scene.ts'

/** The running program of a scene. */
export type SceneProgram = {
  readonly tap: Tap
  /** The address of its stream: `http://127.0.0.1:41234/events`. */
  readonly url: string
  /** The bearer token that requests need, if the stream is filtered. */
  readonly token?: string
  /** The question that clients ask, if the server answers questions. */
  readonly question?: string
  /** Replaces the rules of a filtered stream by this rule. */
  replaceRules(value: string): Promise<void>
  burst(count: number): void
  /** Makes the network buffers of all clients look full. */
  fill(): void
  /** Lets all clients read again. */
  drain(): void
  stop(): Promise<void>
}

/**
 * Runs a scene's program: `solutions/NN-name`, the mistake `test/mistakes/lessonN/name`, or `lessons/NN-name/exhibit`.
 *
 * @throws Error if the program is none of these
 */
export async function runScene(
  { program, query = '', limit }: Scene,
  { recorder, events }: { recorder: Recorder; events: ServerEvents },
): Promise<SceneProgram> {
  const { lesson, isExhibit } = wherefrom(program)
  const mistake = program.startsWith(MISTAKES) ? await made(program) : undefined
  const server: LearnerServer = startLearnerServer({
    name: `${program}/server.ts`,
    folder: async () => (mistake ? join(mistake.folder, lesson.folder) : join(ROOT, program)),
    countLeaks: isExhibit,
    ...(limit && { limit }),
    events,
  })
  // Wait for the server here, because otherwise the first client would have to wait for it.
  await server.destination()
  const { destination } = server
  const before = await tap({ port: 0, destination, observer: recorder.observer })
  const url = `http://127.0.0.1:${before.port}${streamOf({ lesson, isExhibit })}${query}`
  return {
    tap: before,
    url,
    ...(isFiltered({ lesson }) && { token: FILTERED_STREAM.tokens[0] }),
    ...(answersQuestions({ lesson }) && { question: QUESTION }),
    replaceRules: ruleReplacer(url),
    burst: server.burst,
    fill: () => server.fillBuffers('all'),
    drain: server.drainBuffers,
    async stop() {
      server.stop()
      await before.close()
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
