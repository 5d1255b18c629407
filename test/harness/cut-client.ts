import { followQuakes } from '#work/05-reconnection/client.ts'
import { hurriedClock, WATCHDOG_MS } from './clock.ts'
import { cameWhole } from './cut-place.ts'
import type { Cut, CuttingHop, Upstream } from './cut.ts'
import type { Travel } from './cuts.ts'
import { patience } from './patience.ts'
import { quakes } from './quakes.ts'

/** A stream that the check knows by heart: so short that it can be cut behind each byte. */
export type ShortStream = {
  upstream: Upstream
  ids: string[]
  /** How long the response is for somebody who has nothing yet, and how much of it is head. */
  length: number
  head: number
}

export function shortStream(): ShortStream {
  const ids = quakes(4).map(({ id }) => id)
  const [a, b, c, d] = ids
  // Not all alike. The first line that comes behind an id may be data, and a cut may split a character.
  const events = [
    [`id: ${a}\ndata: {"id":"${a}"}\n\n`],
    [`data: {"id":"${b}","place":"Ísland"}\nid: ${b}\n\n`],
    [`:\n\nid: ${c}\nda`, `ta: {"id":"${c}"}\n\n`],
    [`id: ${d}\ndata: {"id":"${d}"}\n\n`],
  ]
  const responseTo = (cursor: string | undefined): Buffer => {
    const chunks = events.slice(ids.indexOf(cursor ?? '') + 1).flat()
    return Buffer.from(HEAD + chunks.map(framed).join(''))
  }
  return {
    ids,
    length: responseTo(undefined).length,
    head: HEAD.length,
    upstream(request, { pass }) {
      const head = request.toString('latin1')
      // A request that was cut off is answered by nobody.
      const isWhole = head.includes('\r\n\r\n')
      const answer = setImmediate(() => {
        if (isWhole) pass(responseTo(/^last-event-id: *(.*)\r$/im.exec(head)?.[1]))
      })
      return { sent: Promise.resolve(), leave: () => clearImmediate(answer) }
    },
  }
}

const HEAD =
  'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n'

function framed(text: string): string {
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`
}

/** Follows the stream behind the hop until `last` has come. */
export function follows(hop: CuttingHop, cuts: Cut[], last: string): Travel {
  const came: string[] = []
  const abort = new AbortController()
  const { url, visits } = hop.journey({
    cuts,
    async beforeCut(visit) {
      // A response that fails takes along what nobody has read yet. Whether that was so is not to be luck.
      const whole = cameWhole(visit)
      await QUIET.until(() => whole.every((id) => came.includes(id)), NOTHING).catch(() => {})
      for (let turn = 0; turn < 5; turn += 1) await new Promise((turned) => setImmediate(turned))
    },
  })
  const options = {
    signal: abort.signal,
    clock: hurriedClock,
    stallMs: WATCHDOG_MS,
    random: () => 0,
  }
  const read = async (): Promise<void> => {
    for await (const quake of followQuakes(url, options)) {
      came.push(quake.id)
      if (quake.id === last) return
    }
  }
  return { visits, came, done: read(), leave: () => abort.abort() }
}

const QUIET = patience({ steps: [], step() {} })
const NOTHING = { seen: '', expected: '' }
