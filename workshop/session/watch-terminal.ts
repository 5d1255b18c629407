import { join } from 'node:path'
import type { RuntimeMessage } from '../../protocol/runtime.ts'
import { lessonNumbered, lessonsFolder } from '../lessons/catalogue.ts'
import { startLearnerProcess } from '../runtime/learner-process.ts'

/**
 * Runs the learner's watch.ts of lesson 2 on a stream, and prints each call of `onQuake()`, until the first call of
 * `onOver()`.
 *
 * @returns the exit code
 */
export async function watchStream(url: string): Promise<number> {
  const client = startLearnerProcess()
  const [code, last] = await new Promise<Ending>((end) => {
    client.run(
      { file: join(lessonsFolder, lessonNumbered(2)!.folder, 'watch.ts'), url },
      {
        message(message) {
          if (message.kind === 'quake') console.log(`onQuake()  ${message.quake.place}`)
          const ending = endingOf(message)
          if (ending) end(ending)
        },
        printed: console.log,
        ended: (how) => end([1, `watch.ts exited (${how}).`]),
      },
    )
  })
  client.kill()
  console.log(last)
  return code
}

type Ending = [code: number, last: string]

/** Returns how the client has ended, if a message says so. */
function endingOf(message: RuntimeMessage): Ending | undefined {
  switch (message.kind) {
    case 'not written':
      return [1, `Nothing to see yet: ${message.what}.`]
    case 'failed':
      return [1, message.thrown]
    case 'connection':
      return message.state.name === 'over'
        ? [0, 'onOver()  The EventSource has given up.']
        : undefined
    default:
      return undefined
  }
}
