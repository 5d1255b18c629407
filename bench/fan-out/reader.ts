import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { createParser } from 'eventsource-parser'
import type { Quake } from '#feed'

/** Opens one stream, and collects the quakes that arrive, to show that a server sends the right ones. */
export async function openReader(port: number): Promise<{ quakes: unknown[]; close(): void }> {
  const request = get({ port, host: '127.0.0.1', path: '/events', agent: false })
  const [response] = (await once(request, 'response')) as [IncomingMessage]
  const quakes: unknown[] = []
  const parser = createParser({
    onEvent({ event = 'message', data }) {
      // Better-sse names its events, and lesson 8 begins with an event about its policy.
      if (event === 'message') quakes.push(quakeIn(JSON.parse(data)))
    },
  })
  response.setEncoding('utf8').on('data', (text: string) => parser.feed(text))
  return { quakes, close: () => void response.destroy() }
}

/** Lesson 8 sends each quake with the name of its source. */
function quakeIn(data: Quake | { quake: Quake }): Quake {
  return 'quake' in data ? data.quake : data
}
