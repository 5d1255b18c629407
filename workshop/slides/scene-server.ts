import { join } from 'node:path'
import type { Recorder } from '../../wire/recorder.ts'
import type { Observer } from '../../wire/tap.ts'
import { startLearnerServer, type ServerEvents } from '../runtime/learner-server.ts'
import { runProcesses, type ProcessControl } from '../session/lesson-processes.ts'
import type { LessonServer } from '../session/lesson-server.ts'
import { hasProcesses, targetPath, type LessonTarget } from '../session/lesson-target.ts'
import { both, whenClosed } from '../session/observers.ts'

/** The server of a scene, which runs in one process or in several. */
export type SceneServer = Pick<LessonServer, 'burst' | 'destination'> & {
  /** The observer of the tap in front of the server. */
  readonly observer: Observer
  /** The processes, if there are several. */
  readonly processes?: Pick<ProcessControl, 'state'>
  /** Kills the process with the most clients. Returns false if there is only one process, or if none is running. */
  kill(): boolean
  /** Makes the network buffers of all clients look full. */
  fill(): void
  /** Lets all clients read again. */
  drain(): void
  stop(): void | Promise<void>
}

export type SceneServerEvents = ServerEvents & {
  /** Called when the state of the processes has changed. */
  processes(): void
}

export type SceneServerOptions = {
  target: LessonTarget
  /** The `limit` that is passed to `createApp()`. */
  limit?: number
  recorder: Recorder
  events: SceneServerEvents
}

/** Starts the server, and resolves when it is running or cannot run. */
export async function startSceneServer(options: SceneServerOptions): Promise<SceneServer> {
  return hasProcesses(options.target) ? startSeveral(options) : startOne(options)
}

async function startOne({
  target,
  limit,
  recorder,
  events,
}: SceneServerOptions): Promise<SceneServer> {
  const { work, isExhibit } = target
  const server = startLearnerServer({
    name: `${work.name}/${targetPath(target)}/server.ts`,
    folder: async () => join(work.folder, targetPath(target)),
    countLeaks: isExhibit,
    ...(limit && { limit }),
    events,
  })
  await server.destination()
  return {
    ...server,
    observer: recorder.observer,
    kill: () => false,
    fill: () => server.fillBuffers('all'),
    drain: server.drainBuffers,
  }
}

async function startSeveral({
  target,
  recorder,
  events,
}: SceneServerOptions): Promise<SceneServer> {
  const server = runProcesses({
    target,
    events: { ...events, killed() {} },
    changed: (slice) => slice === 'processes' && events.processes(),
    note: (text) => recorder.note(text),
  })
  await server.isReady
  return {
    ...server,
    observer: both(recorder.observer, whenClosed(server.processes.closed)),
    // Only the lesson about slow readers fills buffers.
    fill() {},
    drain() {},
  }
}
