import { useEffect, useState } from 'react'
import { useStore } from '../../page/browser/state/store.ts'
import { useDeck } from './deck-context.ts'
import { isPassive, position } from './reveal.ts'
import { WirePicture } from './WirePicture.tsx'

/** Shows a scene's wire: the recording or, while the instructor runs the program, the live wire. */
export function Wire({ name }: { name: string }) {
  const { role, scenes } = useDeck()
  const [runsAt, setRunsAt] = useState<string>()
  const here = useStore(position, ({ h, v }) => `${h}/${v}`)
  const scene = scenes.find((each) => each.name === name)!
  const isRunning = runsAt === here

  // Stop the program when the instructor leaves the slide.
  useEffect(() => setRunsAt((at) => (at === here ? at : undefined)), [here])

  const canRun = role.role === 'instructor' && !isPassive
  return (
    <figure className={isRunning ? 'wire live' : 'wire'}>
      {isRunning && role.role === 'instructor' ? (
        <iframe
          title={`${scene.program}, running`}
          src={`http://${location.hostname}:${role.demoPort}/demo.html?scene=${name}`}
        />
      ) : (
        <WirePicture scene={scene} />
      )}
      <figcaption>
        <code>{scene.program}</code>
        {canRun && (
          <button type="button" onClick={() => setRunsAt(isRunning ? undefined : here)}>
            {isRunning ? 'Stop' : 'Run'}
          </button>
        )}
      </figcaption>
    </figure>
  )
}
