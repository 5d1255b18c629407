import { Readable } from 'node:stream'
import type { ReadableStream as NodeReadableStream } from 'node:stream/web'
import split2 from 'split2'
import { readNdjson } from '../../solutions/01-raw-chunks/client.ts'
import { bodyOf, CHUNK_SIZES, chunksOf, quakesFor } from '../body.ts'
import { contest, CONTEST_HEAD, type Side } from '../contest.ts'
import type { Section, Size } from '../section.ts'

/** Measures the reader of lesson 1 beside split2 and `JSON.parse`. */
export async function run(size: Size): Promise<Section> {
  const quakes = quakesFor(size)
  const text = quakes.map((quake) => `${JSON.stringify(quake)}\n`).join('')
  const rows: string[][] = []
  for (const [input, chunkSize] of Object.entries(CHUNK_SIZES)) {
    const chunks = chunksOf(text, chunkSize)
    rows.push(...(await contest(input, ours(chunks), rivals(chunks), size)))
  }
  return {
    title: 'NDJSON reader (lesson 1)',
    text: `CPU time to read ${quakes.length} quakes from the body of a response, in chunks of the given size.`,
    head: CONTEST_HEAD,
    rows,
  }
}

function ours(chunks: Uint8Array[]): Side {
  return {
    name: 'readNdjson()',
    async run(take) {
      for await (const quake of readNdjson(bodyOf(chunks))) take(quake)
    },
  }
}

function rivals(chunks: Uint8Array[]): Side[] {
  const split = (): Readable =>
    Readable.fromWeb(bodyOf(chunks) as NodeReadableStream).pipe(split2(JSON.parse))
  return [
    {
      name: '`split2(JSON.parse)`, `for await`',
      goal: 1,
      async run(take) {
        for await (const quake of split()) take(quake)
      },
    },
    {
      name: "`split2(JSON.parse)`, `on('data')`",
      run: (take) =>
        new Promise((resolve, reject) => {
          split().on('data', take).on('end', resolve).on('error', reject)
        }),
    },
  ]
}
