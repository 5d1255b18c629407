import {
  createWriteStream,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
} from 'node:fs'
import { writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { ZipFile } from 'yazl'
import { unpack, type Unpacked } from '../../workshop/class/unpack.ts'
import { filesIn } from './files-in.ts'

// Tests that an archive from a stranger writes nothing but the files of lessons, and only a bounded number of bytes.

const L1 = '01-raw-chunks'

let hall: string
let folder: string
beforeEach(() => {
  hall = mkdtempSync(join(tmpdir(), 'unpack '))
  folder = join(hall, 'folder')
  mkdirSync(folder)
})
afterEach(() => rmSync(hall, { recursive: true, force: true }))

async function unpacked(
  fill: (zip: ZipFile) => void,
  mend = (bytes: Buffer) => bytes,
): Promise<Unpacked> {
  const zip = new ZipFile()
  fill(zip)
  zip.end()
  const file = join(hall, 'ada.zip')
  await pipeline(zip.outputStream, createWriteStream(file))
  writeFileSync(file, mend(readFileSync(file)))
  return unpack(file, folder)
}

/** Replaces a name by another of the same length, which the library that packs would not accept. */
function renamed(from: string, to: string): (bytes: Buffer) => Buffer {
  return (bytes) => Buffer.from(bytes.toString('latin1').replaceAll(from, to), 'latin1')
}

test('unpacks the folders of lessons, and skips everything else', async () => {
  const { found, leftOut } = await unpacked((zip) => {
    zip.addBuffer(Buffer.from('mine'), `clone/lessons/${L1}/server.ts`)
    zip.addBuffer(Buffer.from('mine'), `clone/lessons/${L1}/lib/lines.ts`)
    zip.addBuffer(Buffer.from('theirs'), `clone/node_modules/x/${L1}/server.ts`)
    zip.addBuffer(Buffer.from('{}'), 'clone/package.json')
  })
  expect(filesIn(folder)).toEqual([
    `clone/lessons/${L1}/lib/lines.ts`,
    `clone/lessons/${L1}/server.ts`,
  ])
  expect(leftOut).toEqual([])
  expect(found).toContain('clone/package.json')
})

test('leaves out links, large files and invalid names', async () => {
  const { leftOut } = await unpacked((zip) => {
    zip.addBuffer(Buffer.from('/etc/passwd'), `${L1}/server.ts`, { mode: 0o120777 })
    zip.addBuffer(Buffer.alloc(1_000_001), `${L1}/huge.ts`)
    zip.addBuffer(Buffer.from(''), `${L1}/two\nlines.ts`)
  })
  expect(leftOut).toEqual([
    `${L1}/server.ts is a link`,
    `${L1}/huge.ts is larger than 1 MB`,
    `${L1}/two␊lines.ts has a name with invalid characters`,
  ])
  expect(filesIn(folder)).toEqual([])
})

test.each([
  ['a parent folder', '../', 'invalid relative path'],
  ['an absolute path', '/xy', 'absolute path'],
])('refuses an archive with %s', async (_, begin, why) => {
  const path = `${begin}${L1}/server.ts`
  const inside = `x/${'y'.repeat(begin.length - 2)}${L1}/server.ts`
  const result = unpacked(
    (zip) => zip.addBuffer(Buffer.from('evil'), inside),
    renamed(inside, path),
  )
  await expect(result).rejects.toThrow(`it cannot be unpacked: ${why}`)
  expect(existsSync(join(hall, L1))).toBe(false)
  expect(filesIn(folder)).toEqual([])
})

test('refuses an archive with too many files, or with too many bytes', async () => {
  const files = (count: number, bytes: number) => (zip: ZipFile) => {
    const content = Buffer.alloc(bytes)
    for (let n = 0; n < count; n += 1) zip.addBuffer(content, `${L1}/${n}.ts`)
  }
  await expect(unpacked(files(2001, 0))).rejects.toThrow('it has more than 2000 files')
  await expect(unpacked(files(21, 1_000_000))).rejects.toThrow(
    'its files are larger than 20 MB in all',
  )
  expect(filesIn(folder)).toEqual([])
})

test('refuses a file that is larger than its entry says', async () => {
  const isSaid = Buffer.from([0x40, 0x42, 0x0f, 0x00])
  const lie = Buffer.from([0x01, 0x00, 0x00, 0x00])
  const result = unpacked(
    (zip) => zip.addBuffer(Buffer.alloc(1_000_000), `${L1}/bomb.ts`),
    renamed(isSaid.toString('latin1'), lie.toString('latin1')),
  )
  await expect(result).rejects.toThrow('it cannot be unpacked: too many bytes in the stream')
  expect(readFileSync(join(folder, L1, 'bomb.ts')).length).toBeLessThan(100_000)
})

test('refuses a file that is not an archive, is cut off, or names a file twice', async () => {
  await expect(
    unpacked(
      () => {},
      () => Buffer.from('hello'),
    ),
  ).rejects.toThrow('it cannot be unpacked')
  const one = (zip: ZipFile): void => zip.addBuffer(Buffer.from('x'), `${L1}/a.ts`)
  await expect(unpacked(one, (bytes) => bytes.subarray(0, -30))).rejects.toThrow(
    'it cannot be unpacked',
  )
  const twice = unpacked((zip) => {
    one(zip)
    one(zip)
  })
  await expect(twice).rejects.toThrow('it cannot be unpacked: EEXIST')
})
