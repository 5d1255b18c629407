import type { Recorder } from '../../wire/recorder.ts'
import type { ProxySetting } from '../../wire/proxy.ts'
import type { Tap } from '../../wire/tap.ts'
import type { Action, Answer, ProxyHolds, RecordingState, FaultState } from '../../protocol/page.ts'

/** The page's actions on the wire, which work for any server. */
export type WireActions = {
  readonly faults: FaultState
  readonly recording: RecordingState
  /** Performs an action. Returns undefined for an action that does not belong to the wire. */
  act(action: Action): Answer | undefined
  /** Switches to a new tap, which starts without any faults. */
  begin(tap: Pick<Tap, 'faults' | 'proxy'>): void
}

/** Creates the actions. Each fault adds a note to the wire. */
export function wireActions({
  recorder,
  changed,
}: {
  recorder: Recorder
  changed(slice: 'faults' | 'recording'): void
}): WireActions {
  const faults: FaultState = { isStalled: false }
  const recording: RecordingState = { from: 1 }
  let tap: Pick<Tap, 'faults' | 'proxy'> | undefined

  function did(said: string): Answer {
    recorder.note(said)
    changed('faults')
    return { said: `${said}.` }
  }

  return {
    faults,
    recording,
    begin(next) {
      tap = next
      faults.isStalled = false
      delete faults.slow
      delete faults.cutAfter
      delete faults.proxy
      changed('faults')
    },
    act(action) {
      if (action.do === 'clear') {
        recording.from = recorder.newest + 1
        changed('recording')
        return { said: 'Wire cleared.' }
      }
      if (!tap) return undefined
      if (action.do === 'cut') {
        const count = tap.faults.cut()
        if (count === 0) return { said: 'There is no open connection to cut.' }
        return did(count === 1 ? 'Cut the connection' : `Cut ${count} connections`)
      }
      if (action.do === 'cut after') {
        tap.faults.cutAfter(action.bytes ?? undefined)
        if (action.bytes === null) {
          delete faults.cutAfter
          return did('Connections are no longer cut')
        }
        faults.cutAfter = action.bytes
        return did(`Each connection will be cut after ${action.bytes} more bytes of its response`)
      }
      if (action.do === 'stall') {
        tap.faults.stall(action.on)
        faults.isStalled = action.on
        return did(action.on ? 'Stalled: nothing reaches the clients' : 'The stall is over')
      }
      if (action.do === 'slow') {
        tap.faults.slow(action.bytesPerSecond ?? undefined)
        if (action.bytesPerSecond === null) {
          delete faults.slow
          return did('The clients read at full speed')
        }
        faults.slow = action.bytesPerSecond
        return did(`The clients read ${action.bytesPerSecond} bytes per second`)
      }
      if (action.do === 'proxy') {
        tap.proxy(action.holds === null ? undefined : PROXIES[action.holds])
        if (action.holds === null) {
          delete faults.proxy
          return did('New connections go straight to the server')
        }
        faults.proxy = action.holds
        return did(`New connections go through a proxy that buffers ${IN_WORDS[action.holds]}`)
      }
      return undefined
    },
  }
}

/** The first proxy behaves like nginx with HTTP/1.0 upstream, and the second like nginx with compression. */
const PROXIES: Record<ProxyHolds, ProxySetting> = {
  '4 KiB': { http: '1.0', holds: 4096 },
  all: { holds: 'end' },
}

const IN_WORDS: Record<ProxyHolds, string> = { '4 KiB': '4 KiB', all: 'everything until the end' }
