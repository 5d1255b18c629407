import type { Transform } from 'node:stream'
import * as zlib from 'node:zlib'
import { hasZlibHeader, type OpenDecompressor } from './body.ts'
import type { Decompress } from './interpret.ts'
import { concat } from './segment.ts'

/**
 * Decompresses the beginning of a body with gzip, deflate, br or zstd, as far as its bytes allow. A stream is never
 * complete, so its end may be missing.
 *
 * @throws Error with a sentence for the user
 */
export const decompress: Decompress = (encoding, bytes) => {
  const decoder = DECODERS[encoding]
  if (!decoder) throw new Error(cannot(encoding))
  try {
    return decoder(bytes)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ERR_BUFFER_TOO_LARGE')
      throw new Error('More than 64 MiB came out.', { cause: error })
    throw new Error(invalid(encoding, code), { cause: error })
  }
}

/** Opens a decompressor for gzip, deflate, br, zstd or `deflate-raw`, which decompresses in other threads. */
export const openDecompressor: OpenDecompressor = (encoding) => {
  const create = STREAMS[encoding]
  if (!create) throw new Error(cannot(encoding))
  let stream: Transform | undefined
  let out: Uint8Array[] = []
  return {
    async push(bytes) {
      stream ??= create(bytes[0]!).on('data', (piece: Uint8Array) => void out.push(piece))
      await written(stream, bytes).catch(({ code }: NodeJS.ErrnoException) => {
        throw new Error(invalid(encoding, code))
      })
      const readable = concat(out)
      out = []
      return readable
    },
    close: () => stream?.destroy(),
  }
}

/** Resolves when a stream has transformed the bytes. Bytes after the end of a compressed body are ignored. */
function written(stream: Transform, bytes: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (error?: Error | null): void => {
      stream.off('error', done).off('close', done)
      if (error) reject(error)
      else resolve()
    }
    stream.on('error', done).on('close', done)
    if (stream.destroyed) done()
    else stream.write(bytes, done)
  })
}

const maxOutputLength = 64 * 1024 * 1024
const { constants } = zlib
const flushing = { finishFlush: constants.Z_SYNC_FLUSH, maxOutputLength }

/** What Node 20 does not have. */
const newer = zlib as unknown as {
  zstdDecompressSync?(
    bytes: Uint8Array,
    options: { finishFlush: number; maxOutputLength: number },
  ): Uint8Array
  createZstdDecompress?(): Transform
  constants: { ZSTD_e_flush?: number }
}

const DECODERS: Record<string, ((bytes: Uint8Array) => Uint8Array) | undefined> = {
  gzip: (bytes) => zlib.gunzipSync(bytes, flushing),
  'x-gzip': (bytes) => zlib.gunzipSync(bytes, flushing),
  deflate: (bytes) =>
    hasZlibHeader(bytes[0]!)
      ? zlib.inflateSync(bytes, flushing)
      : zlib.inflateRawSync(bytes, flushing),
  br: (bytes) =>
    zlib.brotliDecompressSync(bytes, {
      finishFlush: constants.BROTLI_OPERATION_FLUSH,
      maxOutputLength,
    }),
  ...(newer.zstdDecompressSync && {
    zstd: (bytes: Uint8Array) =>
      newer.zstdDecompressSync!(bytes, {
        finishFlush: newer.constants.ZSTD_e_flush!,
        maxOutputLength,
      }),
  }),
}

/** The streams that decompress. Only deflate has two formats, which differ in the first byte. */
const STREAMS: Record<string, ((first: number) => Transform) | undefined> = {
  gzip: () => zlib.createGunzip(),
  'x-gzip': () => zlib.createGunzip(),
  deflate: (first) => (hasZlibHeader(first) ? zlib.createInflate() : zlib.createInflateRaw()),
  'deflate-raw': () => zlib.createInflateRaw(),
  br: () => zlib.createBrotliDecompress(),
  ...(newer.createZstdDecompress && { zstd: () => newer.createZstdDecompress!() }),
}

function cannot(encoding: string): string {
  return `This version of Node cannot decompress "${encoding}".`
}

function invalid(encoding: string, code = ''): string {
  return `These bytes are not valid ${encoding} (${code}).`
}
