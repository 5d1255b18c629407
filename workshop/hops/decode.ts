import { Buffer } from 'node:buffer'
import type { Transform } from 'node:stream'
import zlib from 'node:zlib'

/** Decompresses a body while it arrives. */
export type Decoder = {
  /** Decompresses the bytes that arrived at a time. Their content gets the same time. */
  push(bytes: Uint8Array, at: number): void
  /** Calls back when everything that was pushed has been decompressed. */
  end(done: () => void): void
}

/** Receives a piece of the decompressed body, with the time at which its last compressed byte arrived. */
type Decoded = (bytes: Buffer, at: number) => void

/**
 * Returns a decoder that passes on everything that the sender has flushed. Returns undefined if this version of Node does
 * not know the coding.
 */
export function decoderOf(
  coding: string | undefined,
  decoded: Decoded,
  broken: (why: string) => void,
): Decoder | undefined {
  const name = coding?.trim().toLowerCase() || 'identity'
  if (name === 'identity') {
    return { push: (bytes, at) => decoded(Buffer.from(bytes), at), end: (done) => done() }
  }
  if (name !== 'deflate' && !makers[name]) return undefined
  let stream: Transform | undefined
  let hasFailed = false
  const times: number[] = []
  const start = (first: Uint8Array): Transform => {
    const made = makers[name]?.() ?? inflate(first)
    made.on('data', (bytes: Buffer) => decoded(bytes, times[0]!))
    made.on('error', (error) => {
      hasFailed = true
      broken(error.message)
    })
    return made
  }
  return {
    push(bytes, at) {
      if (hasFailed) return
      stream ??= start(bytes)
      times.push(at)
      // The callback is called after the data of this write, so the first time is always that of the current write.
      stream.write(bytes, () => void times.shift())
    },
    end(done) {
      if (!stream || hasFailed) done()
      // Do not end the stream, because a decompressor rejects a body that was cut off.
      else stream.write(Buffer.alloc(0), () => done())
    },
  }
}

/** The codings that a browser accepts, as far as this version of Node can decompress them. */
export function acceptedCodings(): string {
  return ['gzip', 'deflate', 'br', ...(makers.zstd ? ['zstd'] : [])].join(', ')
}

/** Returns a remark if a browser would accept zstd as well. Node decompresses it from 22.15 on. */
export function withoutZstd(codings: string): string {
  return codings.includes('zstd') ? '' : ' (zstd needs Node 22.15)'
}

// Flushing after each write passes on a block that is not complete yet.
const SYNC = { flush: zlib.constants.Z_SYNC_FLUSH, finishFlush: zlib.constants.Z_SYNC_FLUSH }

// The types of Node 20 do not have zstd.
const { createZstdDecompress } = zlib as { createZstdDecompress?: () => Transform }

const makers: Record<string, (() => Transform) | undefined> = {
  gzip: () => zlib.createGunzip(SYNC),
  'x-gzip': () => zlib.createGunzip(SYNC),
  br: () => zlib.createBrotliDecompress({ flush: zlib.constants.BROTLI_OPERATION_FLUSH }),
  zstd: createZstdDecompress,
}

/** Returns a decoder for `deflate`, which some servers send without the two bytes of zlib's header. */
function inflate(first: Uint8Array): Transform {
  return (first[0]! & 0x0f) === 8 ? zlib.createInflate(SYNC) : zlib.createInflateRaw(SYNC)
}
