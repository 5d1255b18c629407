import type { WriteStream } from 'node:tty'
import { expect, test } from 'vitest'
import { screen } from '../../workshop/terminal/screen.ts'

test.each([
  ['as wide as its terminal', { isTTY: true, columns: 72 }, 72],
  ['100 wide where a terminal does not say', { isTTY: true, columns: 0 }, 100],
  ['100 wide without a terminal', { isTTY: false }, 100],
])('a screen is %s', (_case, stream, width) => {
  expect(screen(stream as WriteStream).width).toBe(width)
})
