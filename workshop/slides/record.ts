import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { serializeRecording } from '../../wire/recording.ts'
import { readDeck } from './deck.ts'
import type { Scene, Step } from './scene.ts'
import { recordingOf, recordingsFolder } from './deck-view.ts'
import { withEnd } from './run-end.ts'
import { sceneSession, type SceneSession } from './scene-session.ts'

/** Records the scenes with these names, or all of them, and removes recordings that no slide shows. */
export async function recordAll(names: string[]): Promise<number> {
  const { scenes } = readDeck()
  const unknown = names.filter((name) => !scenes.some((scene) => scene.name === name))
  if (unknown.length > 0) {
    console.error(
      `There is no ${unknown.join(', ')}. There are: ${scenes.map(({ name }) => name).join(', ')}`,
    )
    return 2
  }
  for (const scene of scenes) {
    if (names.length === 0 || names.includes(scene.name)) console.log(await record(scene))
  }
  for (const file of readdirSync(recordingsFolder)) {
    const isShown = scenes.some((scene) => recordingOf(scene) === join(recordingsFolder, file))
    if (!isShown) rmSync(join(recordingsFolder, file))
  }
  return 0
}

/**
 * Plays a scene by running its real program, and writes the recording to `slides/recordings/`. Returns the file's
 * path.
 */
async function record(scene: Scene): Promise<string> {
  const session = sceneSession(() => [scene])
  try {
    const answer = await session.act({ do: 'run', scene: scene.name })
    const { what, state } = session.state.server
    if ('problem' in answer || state !== 'running') throw new Error(`${scene.name}: ${what}`)
    for (const step of scene.steps) {
      if (typeof step === 'number') await sleep(step * 1000)
      else if (typeof step === 'object') await session.act({ do: 'next rule' })
      else if (step === 'connect again') await session.act({ do: 'connect' })
      else if (isAction(step)) await session.act({ do: step })
      else if (step === 'fill' || step === 'drain') session.fill(step === 'fill')
      else if (step === 'leave') await leave(session)
      else if (step === 'stall') await session.act({ do: 'stall', on: true })
      else if (step === 'go on') await session.act({ do: 'stall', on: false })
    }
    const [head = '', ...lines] = serializeRecording(session.recorder, session.state.recording.from)
    mkdirSync(recordingsFolder, { recursive: true })
    const file = recordingOf(scene)
    writeFileSync(file, [withEnd(head, session.state), ...lines].join(''))
    return file
  } finally {
    await session.close()
  }
}

function isAction(step: Step): step is 'cut' | 'kill' | 'burst' | 'stop' {
  return step === 'cut' || step === 'kill' || step === 'burst' || step === 'stop'
}

async function leave(session: SceneSession): Promise<void> {
  for (const { id } of session.state.clients) await session.act({ do: 'leave', id })
}
