import { useEffect, useState } from 'react'
import { isPassive, isPrinted } from './reveal.ts'
import { useRecording, type Recording } from './use-recording.ts'

/** Plays the recording of a scene as text: on the left the lines that the server sends, on the right those that arrive. */
export function TwoTerminals({ name }: { name: string }) {
  const recording = useRecording(name)
  const [startedAt, setStartedAt] = useState<number>()
  const elapsed = useElapsed(startedAt, recording?.entries.at(-1)?.entry.at ?? 0)
  const at = isPrinted ? Infinity : elapsed
  return (
    <>
      <div className="terminals">
        <Terminal command="node server.ts" lines={linesAt(recording, 'server', at)} />
        <Terminal command="curl -N …/events" lines={linesAt(recording, 'client', at)} />
      </div>
      {recording?.problem && <p className="problem">{recording.problem}</p>}
      <div className="countdown">
        <span role="timer">{(elapsed / 1000).toFixed(1)} s</span>
        {!isPassive && (
          <button type="button" onClick={() => setStartedAt(performance.now())}>
            Play
          </button>
        )}
      </div>
    </>
  )
}

function Terminal({ command, lines }: { command: string; lines: string[] }) {
  return (
    <pre className="terminal">
      <span className="quiet">$ {command}</span>
      {`\n${lines.join('\n')}`}
    </pre>
  )
}

/** Returns the data of the events that a hop had seen after `elapsed` milliseconds. */
function linesAt(recording: Recording | undefined, hop: string, elapsed: number): string[] {
  const decoder = new TextDecoder()
  const text = (recording?.entries ?? [])
    .filter(({ entry }) => entry.at <= elapsed)
    .filter(
      ({ entry }) =>
        entry.kind === 'arrived' && entry.hop === hop && entry.direction === 'response',
    )
    .map(({ bytes }) => decoder.decode(bytes, { stream: true }))
    .join('')
  return text.match(/^data: .*/gm) ?? []
}

/** Returns the milliseconds since `startedAt`, at most `mostMs`. Renders again while they grow. */
function useElapsed(startedAt: number | undefined, mostMs: number): number {
  const [now, setNow] = useState(0)
  useEffect(() => {
    if (startedAt === undefined) return
    const timer = setInterval(() => {
      setNow(performance.now())
      if (performance.now() > startedAt + mostMs) clearInterval(timer)
    }, 100)
    return () => clearInterval(timer)
  }, [startedAt, mostMs])
  if (startedAt === undefined) return 0
  return Math.min(mostMs, Math.max(0, now - startedAt))
}
