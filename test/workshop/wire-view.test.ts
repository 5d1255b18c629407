import { expect, test } from 'vitest'
import { painter } from '../../workshop/terminal/colour.ts'
import { wireView } from '../../workshop/terminal/wire-view.ts'
import type { Screen } from '../../workshop/terminal/screen.ts'

test('a paused wire prints nothing, and afterwards says how many lines it left out', () => {
  const printed: string[] = []
  const wire = wireView(screenOf(printed))
  wire.observer.opened(1)
  wire.pause()
  const before = printed.length
  wire.observer.closed(1, { by: 'client', hop: 'client' } as never)
  expect(printed).toHaveLength(before)
  expect(wire.shows).toBe('paused')
  wire.next()
  expect(printed.at(-1)).toBe('The wire is shown again. 1 line was left out.')
  expect(wire.shows).toBe('short')
})

function screenOf(printed: string[]): Screen {
  return {
    paint: painter(false),
    width: 80,
    print: (text) => void printed.push(text),
    stay() {},
    clear() {},
    close() {},
  }
}
