import type { Recorder } from '../../wire/recorder.ts'
import type { ProxySetting } from '../../wire/proxy.ts'
import type { Tap } from '../../wire/tap.ts'
import type { Action, Answer, ProxyHolds, RecordingState, FaultState } from '../../protocol/page.ts'

/** What the page can do to the wire, whatever server is behind it. */
export type WireActions = {
  readonly faults: FaultState
  readonly recording: RecordingState
  /** Undefined when the action is none of these. */
  act(action: Action): Answer | undefined
  /** No trouble any more: another tap begins without. */
  begin(tap: Pick<Tap, 'faults' | 'proxy'>): void
}

/** Each action says on the wire what it did. */
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
        return { said: 'The wire is cleared.' }
      }
      if (!tap) return undefined
      if (action.do === 'cut') {
        const count = tap.faults.cut()
        if (count === 0) return { said: 'There is no connection to cut.' }
        return did(count === 1 ? 'Cut the connection' : `Cut ${count} connections`)
      }
      if (action.do === 'cut after') {
        tap.faults.cutAfter(action.bytes ?? undefined)
        if (action.bytes === null) {
          delete faults.cutAfter
          return did('No cut any more')
        }
        faults.cutAfter = action.bytes
        return did(`Each connection is cut after ${action.bytes} more bytes of its response`)
      }
      if (action.do === 'stall') {
        tap.faults.stall(action.on)
        faults.isStalled = action.on
        return did(action.on ? 'Stalled: nothing reaches the clients' : 'Let go')
      }
      if (action.do === 'slow') {
        tap.faults.slow(action.bytesPerSecond ?? undefined)
        if (action.bytesPerSecond === null) {
          delete faults.slow
          return did('The clients read at full speed')
        }
        faults.slow = action.bytesPerSecond
        return did(`The clients read ${action.bytesPerSecond} bytes a second`)
      }
      if (action.do === 'proxy') {
        tap.proxy(action.holds === null ? undefined : PROXIES[action.holds])
        if (action.holds === null) {
          delete faults.proxy
          return did('New connections have no proxy')
        }
        faults.proxy = action.holds
        return did(`New connections have a proxy that holds ${IN_WORDS[action.holds]}`)
      }
      return undefined
    },
  }
}

/** As nginx that asks over HTTP/1.0, and as one that compresses. */
const PROXIES: Record<ProxyHolds, ProxySetting> = {
  '4 KiB': { http: '1.0', holds: 4096 },
  all: { holds: 'end' },
}

const IN_WORDS: Record<ProxyHolds, string> = { '4 KiB': '4 KiB', all: 'everything until the end' }
