import type { ReactNode } from 'react'
import { useStore } from '../../page/browser/state/store.ts'
import { Counters } from './Counters.tsx'
import { useDeck } from './deck-context.ts'
import { isPassive } from './reveal.ts'
import { runs } from './stage.ts'
import { useRecording } from './use-recording.ts'
import { responseAt, SelectedBytes, WirePicture } from './WirePicture.tsx'

/**
 * Shows a scene's wire: the recording or, while the instructor runs the program, the live wire in the same place. The bytes
 * below it stay. On a slide on which people guess, the recording and its bytes appear only at a click.
 */
export function Wire({ name, isGuess }: { name: string; isGuess: boolean }) {
  const { role, scenes } = useDeck()
  const isRunning = useStore(runs, (running) => running === name)
  const recording = useRecording(name)
  const { program, shows, showsFrom } = scenes.find((each) => each.name === name)!
  const selected = shows !== undefined && recording ? responseAt(recording, shows) : undefined
  const isInstructor = role.role === 'instructor' && !isPassive
  return (
    <figure className={isRunning ? 'wire live' : 'wire'}>
      <div className="screen">
        {isRunning && (
          <iframe
            title={`${program}, running`}
            src={
              isInstructor
                ? `http://${location.hostname}:${role.demoPort}/demo.html?scene=${name}`
                : './demo.html'
            }
          />
        )}
        <Recorded isGuess={isGuess}>
          {!isRunning && <WirePicture recording={recording} selected={selected} />}
          {!isRunning && recording?.end && <Counters {...recording.end} />}
        </Recorded>
      </div>
      <Recorded isGuess={isGuess}>
        {recording && selected !== undefined && (
          <SelectedBytes entries={recording.entries} n={selected} from={showsFrom} />
        )}
      </Recorded>
      <figcaption>
        <code>{program}</code>
        {isInstructor && (
          <button type="button" onClick={() => runs.set(isRunning ? undefined : name)}>
            {isRunning ? 'Stop' : 'Run'}
          </button>
        )}
      </figcaption>
    </figure>
  )
}

/** Contains a part of a recording. The element stays while a program runs, because reveal.js remembers there what is visible. */
function Recorded({ isGuess, children }: { isGuess: boolean; children: ReactNode }) {
  if (!isGuess) return children
  return (
    <div className="recorded fragment" data-fragment-index={0}>
      {children}
    </div>
  )
}
