import { useStore } from '../../page/browser/state/store.ts'
import { Counters } from './Counters.tsx'
import { useDeck } from './deck-context.ts'
import { isPassive } from './reveal.ts'
import { runs } from './stage.ts'
import { useRecording } from './use-recording.ts'
import { responseAt, SelectedBytes, WirePicture } from './WirePicture.tsx'

/**
 * Shows a scene's wire: the recording or, while the instructor runs the program, the live wire in the same place. The bytes
 * below it stay.
 */
export function Wire({ name }: { name: string }) {
  const { role, scenes } = useDeck()
  const isRunning = useStore(runs, (running) => running === name)
  const recording = useRecording(name)
  const { program, shows, showsFrom } = scenes.find((each) => each.name === name)!
  const selected = shows !== undefined && recording ? responseAt(recording, shows) : undefined
  const isInstructor = role.role === 'instructor' && !isPassive
  return (
    <figure className={isRunning ? 'wire live' : 'wire'}>
      <div className="screen">
        {isRunning ? (
          <iframe
            title={`${program}, running`}
            src={
              isInstructor
                ? `http://${location.hostname}:${role.demoPort}/demo.html?scene=${name}`
                : './demo.html'
            }
          />
        ) : (
          <WirePicture recording={recording} selected={selected} />
        )}
        {!isRunning && recording?.end && <Counters {...recording.end} />}
      </div>
      {recording && selected !== undefined && (
        <SelectedBytes entries={recording.entries} n={selected} from={showsFrom} />
      )}
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
