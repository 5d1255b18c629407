import { createServer, type AddressInfo, type Socket } from 'node:net'
import { followQuakes } from '#work/05-reconnection/client.ts'
import { hurriedClock, WATCHDOG_MS } from './clock.ts'
import { cameWhole } from './cut-place.ts'
import type { Cut, Visit } from './cut.ts'
import type { Travel } from './cuts.ts'
import { patience } from './patience.ts'
import { quakes } from './quakes.ts'
import { turned } from './turned.ts'

/** A stream so short that it can be cut behind each byte. */
export type ShortStream = {
  ids: string[]
  /** How long the response is for somebody who has nothing yet, and how much of it is head. */
  length: number
  head: number
  /** Follows it with the client of the work, which is cut off at these bytes, until the last quake has come. */
  follow(cuts: Cut[]): Travel
}

/** Serves a short stream while the script runs. Its server knows every answer by heart. */
export async function shortStream(script: (stream: ShortStream) => Promise<void>): Promise<void> {
  const { ids, responseTo } = answers()
  const travels: Following[] = []
  const clients = new Set<Socket>()

  const server = createServer({ noDelay: true }, (client) => {
    clients.add(client)
    // 'close' follows.
    client.on('error', () => {})
    client.on('close', () => clients.delete(client))
    let request: Buffer = Buffer.alloc(0)
    client.on('data', (bytes) => {
      request = Buffer.concat([request, bytes])
      if (request.includes('\r\n\r\n')) answer(client, request)
    })
  })

  function answer(client: Socket, request: Buffer): void {
    const head = request.toString('latin1')
    const { cuts, visits, came } = travels[Number(/\?travel=(\d+)/.exec(head)![1])]!
    const cut = cuts[visits.length]
    const cursor = /^last-event-id: *(.*)\r$/im.exec(head)?.[1]
    const whole = responseTo(cursor)
    const isCut = cut !== undefined && cut.after <= whole.length
    const response =
      cut?.of === 'request' ? Buffer.alloc(0) : whole.subarray(0, cut?.after ?? Infinity)
    const visit = { cursor, request, response, cut: isCut ? cut : undefined }
    visits.push(visit)
    client.write(response, async () => {
      if (!isCut) return
      await hasRead(visit, came)
      // In order, without a reset: with a reset some systems throw away what the client has not read yet, and it would
      // be another byte that came last. A chunked response that stops is cut for a client, however it stops.
      client.destroy()
    })
  }

  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening))
  const { port } = server.address() as AddressInfo
  try {
    await script({
      ids,
      length: responseTo(undefined).length,
      head: HEAD.length,
      follow(cuts) {
        const url = `http://127.0.0.1:${port}/events?travel=${travels.length}`
        const following: Following = { cuts, visits: [], came: [] }
        travels.push(following)
        return { ...following, ...follow(url, following.came, ids.at(-1)!) }
      },
    })
  } finally {
    for (const client of clients) client.destroy()
    await new Promise((closed) => server.close(closed))
  }
}

type Following = { cuts: Cut[]; visits: Visit[]; came: string[] }

function follow(url: string, came: string[], last: string): Pick<Travel, 'done' | 'leave'> {
  const abort = new AbortController()
  const { signal } = abort
  const quick = { clock: hurriedClock, stallMs: WATCHDOG_MS, random: () => 0 }
  const read = async (): Promise<void> => {
    for await (const { id } of followQuakes(url, { ...quick, signal })) {
      came.push(id)
      if (id === last) return
    }
  }
  return { done: read(), leave: () => abort.abort() }
}

/** A response that fails takes along what nobody has read yet. Whether that was so is not to be luck. */
async function hasRead(visit: Visit, came: string[]): Promise<void> {
  const whole = cameWhole(visit)
  const { until } = patience({ steps: [], step() {} })
  // When it does not come that is for whoever waits for the last quake to say.
  const isGiven = until(() => whole.every((id) => came.includes(id)), { seen: '', expected: '' })
  await isGiven.catch(() => {})
  await turned(5)
}

function answers(): { ids: string[]; responseTo(cursor: string | undefined): Buffer } {
  const ids = quakes(3).map(({ id }) => id)
  const [a, b, c] = ids
  // Not all alike. A line of data may be the first of a response, and a cut may split a character.
  const events = [
    [`id: ${a}\ndata: {"id":"${a}"}\n\n`],
    [`data: {"id":"${b}","place":"Ísland"}\nid: ${b}\n\n`],
    [`:\n\nid: ${c}\nda`, `ta: {"id":"${c}"}\n\n`],
  ]
  return {
    ids,
    responseTo(cursor) {
      const chunks = events.slice(ids.indexOf(cursor ?? '') + 1).flat()
      return Buffer.from(HEAD + chunks.map(framed).join(''))
    },
  }
}

const HEAD =
  'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n'

function framed(text: string): string {
  return `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`
}
