import * as zlib from 'node:zlib'
import { expect, test } from 'vitest'
import { decompress } from '../../wire/decompress.ts'

/** The beginning of a stream that zstd compresses, flushed after one event. */
const ZSTD = Buffer.from('28b52ffd0058580000646174613a206f6e650a0a', 'hex')

test('zstd is decompressed by a Node that can, and otherwise there is an explanation', () => {
  const text = (): string => Buffer.from(decompress('zstd', ZSTD)).toString()
  if ('zstdDecompressSync' in zlib) expect(text()).toBe('data: one\n\n')
  else expect(text).toThrow('This version of Node cannot decompress "zstd".')
})

test('deflate is decompressed with and without its header', () => {
  for (const bytes of [zlib.deflateSync('text'), zlib.deflateRawSync('text')]) {
    expect(Buffer.from(decompress('deflate', bytes)).toString()).toBe('text')
  }
})

test('bytes that are not compressed, and a bomb, are explained', () => {
  expect(() => decompress('gzip', Buffer.from('data: one\n\n'))).toThrow(
    'These bytes are not valid gzip (Z_DATA_ERROR).',
  )
  expect(() => decompress('gzip', zlib.gzipSync(Buffer.alloc(65 * 1024 * 1024)))).toThrow(
    'More than 64 MiB came out.',
  )
})
