import { mkdirSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { savedLines } from '../../wire/recording.ts'
import type { Scene } from './scene.ts'
import { recordingOf, recordingsFolder } from './shown.ts'
import { sceneSession, type SceneSession } from './scene-session.ts'

/** Plays a scene with its real program, and writes what crossed the wire to `slides/recordings/`. */
export async function record(scene: Scene): Promise<string> {
  const session = sceneSession(() => [scene])
  try {
    const answer = await session.act({ do: 'run', scene: scene.name })
    const { what, state } = session.state.server
    if ('problem' in answer || state !== 'running') throw new Error(`${scene.name}: ${what}`)
    for (const step of scene.steps) {
      if (typeof step === 'number') await sleep(step * 1000)
      else if (step === 'cut') await session.act({ do: step })
      else if (step === 'leave') await leave(session)
      else if (step === 'stall') await session.act({ do: 'stall', on: true })
      else if (step === 'go on') await session.act({ do: 'stall', on: false })
    }
    const lines = [...savedLines(session.recorder, session.state.recording.from)]
    mkdirSync(recordingsFolder, { recursive: true })
    const file = recordingOf(scene)
    writeFileSync(file, lines.join(''))
    return file
  } finally {
    await session.close()
  }
}

async function leave(session: SceneSession): Promise<void> {
  for (const { id } of session.state.clients) await session.act({ do: 'leave', id })
}
