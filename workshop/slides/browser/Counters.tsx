import { formatCount, formatNumber } from '../../page/browser/ui/format.ts'
import type { RunEnd } from '../run-end.ts'

/** Shows what a wire cannot show: how many readers the server has, what it leaks, and what the clients have received. */
export function Counters({ server: { readers, leaks, meter }, processes, clients }: RunEnd) {
  return (
    <p className="state">
      {readers !== undefined && <span>feed open for {formatCount(readers, 'reader')}</span>}
      {leaks && (
        <span className={leaks.intervals > leaks.clients ? 'bad' : undefined}>
          {formatCount(leaks.intervals, 'interval')} · {formatCount(leaks.clients, 'client')} ·{' '}
          {formatNumber(leaks.lostWrites)} writes to closed connections
        </span>
      )}
      {meter && <span>{formatCount(meter.tokens, 'token')} generated</span>}
      {processes?.map(({ name, state, clients: served }) => (
        <span key={name}>
          {name}: {state === 'running' ? formatCount(served, 'client') : state}
        </span>
      ))}
      {clients.length > 2 && <span>{formatCount(clients.length, 'client')}</span>}
      {clients.slice(-2).map(({ id, state, quakes, answer }) => (
        <span key={id}>
          client {id}: {state},{' '}
          {answer ? formatCount(answer.tokens, 'token') : formatCount(quakes, 'quake')}
        </span>
      ))}
    </p>
  )
}
