import type { ProcessesState } from '../../../../protocol/page.ts'
import { useIsGone } from '../state/page-state.ts'
import { ActionButton } from '../ui/ActionButton.tsx'
import { formatCount } from '../ui/format.ts'

/** Shows the processes of the server, kills and restarts them, and cuts them off from Redis. */
export function Processes({
  processes: { processes, isRealRedis, isRedisAway, isRolling },
}: {
  processes: ProcessesState
}) {
  const isGone = useIsGone()
  return (
    <section className="processes" aria-labelledby="processes-title">
      <div className="bar">
        <h2 id="processes-title">Processes</h2>
        <p role="status">{isGone ? 'Redis: unknown' : describeRedis(isRealRedis, isRedisAway)}</p>
        <ActionButton action={{ do: 'restart processes' }} disabled={isRolling}>
          Restart one after the other
        </ActionButton>
        <ActionButton action={{ do: 'redis', isAway: !isRedisAway }}>
          {isRedisAway ? 'Bring Redis back' : 'Take Redis away'}
        </ActionButton>
      </div>
      <ul className={isGone ? 'quiet' : undefined}>
        {processes.map(({ name, state, clients }) => (
          <li key={name}>
            <strong>{name}</strong>
            <span>
              {isGone ? 'unknown' : STATES[state]} · {formatCount(clients, 'client')}
            </span>
            <ActionButton
              action={{ do: 'kill process', name }}
              disabled={state !== 'running'}
              aria-label={`Kill ${name}`}
            >
              Kill
            </ActionButton>
          </li>
        ))}
      </ul>
    </section>
  )
}

function describeRedis(isReal: boolean | undefined, isAway: boolean): string {
  if (isReal === undefined) return 'Redis is starting …'
  const which = isReal ? 'The real Redis' : 'The embedded Redis'
  return isAway ? `${which} is away: no process can reach it.` : `${which} is running.`
}

const STATES: Record<ProcessesState['processes'][number]['state'], string> = {
  starting: 'starting …',
  running: 'running',
  stopping: 'stopping …',
  down: 'down',
}
