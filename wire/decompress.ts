import * as zlib from 'node:zlib'
import type { Decompress } from './interpret.ts'

/**
 * Decompresses the beginning of a body with gzip, deflate, br or zstd, as far as its bytes allow. A stream is never
 * complete, so its end may be missing.
 *
 * @throws Error with a sentence for the user
 */
export const decompress: Decompress = (encoding, bytes) => {
  const decoder = DECODERS[encoding]
  if (!decoder) throw new Error(`This version of Node cannot decompress "${encoding}".`)
  try {
    return decoder(bytes)
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ERR_BUFFER_TOO_LARGE')
      throw new Error('More than 64 MiB came out.', { cause: error })
    throw new Error(`These bytes are not valid ${encoding} (${code}).`, { cause: error })
  }
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
  constants: { ZSTD_e_flush?: number }
}

const DECODERS: Record<string, ((bytes: Uint8Array) => Uint8Array) | undefined> = {
  gzip: (bytes) => zlib.gunzipSync(bytes, flushing),
  'x-gzip': (bytes) => zlib.gunzipSync(bytes, flushing),
  // By the standard, deflate has a zlib header, but some servers send it without one (RFC 9110, section 8.4.1.2).
  deflate: (bytes) =>
    (bytes[0]! & 0x0f) === 8
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
