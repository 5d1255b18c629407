import { createParser, type EventSourceMessage } from 'eventsource-parser'
import { EventSourceParserStream } from 'eventsource-parser/stream'
import { readEvents, type Block } from '../../solutions/06-resume/read-events.ts'
import { bodyOf, CHUNK_SIZES, chunksOf, quakesFor } from '../body.ts'
import { contest, CONTEST_HEAD, type Side } from '../contest.ts'
import type { Section, Size } from '../section.ts'

/** Measures the event parser of lesson 6 beside both forms of eventsource-parser. */
export async function run(size: Size): Promise<Section> {
  const quakes = quakesFor(size)
  const text = quakes.map((quake) => `id: ${quake.id}\ndata: ${JSON.stringify(quake)}\n\n`).join('')
  const rows: string[][] = []
  for (const [input, chunkSize] of Object.entries(CHUNK_SIZES)) {
    const chunks = chunksOf(text, chunkSize)
    rows.push(...(await contest(input, ours(chunks), rivals(chunks), size)))
  }
  return {
    title: 'Event parser (lesson 6)',
    text: `CPU time to read ${quakes.length} events from the body of a response, in chunks of the given size. The data is not parsed.`,
    head: CONTEST_HEAD,
    rows,
  }
}

function ours(chunks: Uint8Array[]): Side {
  return {
    name: 'readEvents()',
    async run(take) {
      for await (const block of readEvents(bodyOf(chunks))) take(block)
    },
    normalize: ({ type, data, id }: Block) => ({ type, data, id }),
  }
}

function rivals(chunks: Uint8Array[]): Side[] {
  const normalize = ({ event = 'message', data, id }: EventSourceMessage): unknown => ({
    type: event,
    data,
    id,
  })
  return [
    {
      name: 'eventsource-parser, `EventSourceParserStream`',
      goal: 1,
      async run(take) {
        const events = bodyOf(chunks)
          .pipeThrough(new TextDecoderStream())
          .pipeThrough(new EventSourceParserStream())
        for await (const event of events) take(event)
      },
      normalize,
    },
    {
      name: 'eventsource-parser, `feed()`',
      goal: 0.7,
      async run(take) {
        const decoder = new TextDecoder()
        const parser = createParser({ onEvent: take })
        for await (const chunk of bodyOf(chunks)) {
          parser.feed(decoder.decode(chunk, { stream: true }))
        }
      },
      normalize,
    },
  ]
}
