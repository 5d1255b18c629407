import { describe, expect, test, vi } from 'vitest'
import { BENCHMARKS, runBenchmark } from '../../bench/benchmarks.ts'
import { goalText, median, ratioText, toMarkdown } from '../../bench/section.ts'
import { bench } from '../../workshop/commands/bench.ts'

describe('npm run bench', () => {
  // A benchmark compares the results of all sides before it measures them, and throws if they differ.
  test.each(BENCHMARKS)(
    '%s runs in a tiny size, and all sides give the same results',
    async (name) => {
      const { title, head, rows } = await runBenchmark(name, 'tiny')
      expect(title).toMatch(/lesson/)
      expect(rows.length).toBeGreaterThan(0)
      const speed = head.findIndex((label) => ['Speed', 'Beside better-sse'].includes(label))
      for (const row of rows) {
        expect(row).toHaveLength(head.length)
        // better-sse is not compared with itself.
        if (row[1] !== 'better-sse') expect(row[speed]).toMatch(/^\d+\.\d\d × \(/)
      }
    },
  )

  test('an unknown benchmark is refused with a list of the benchmarks', async () => {
    const print = vi.spyOn(console, 'error').mockImplementation(() => {})
    expect(await bench(['ndjson', 'parsers'])).toBe(2)
    expect(print).toHaveBeenCalledWith(
      'There is no benchmark "parsers". The benchmarks are ndjson, parser, fan-out, react. ' +
        'Without a name, npm run bench runs all of them.',
    )
    print.mockRestore()
  })
})

test('a ratio is the median of all rounds, with their range', () => {
  expect(median([3, 1, 2])).toBe(2)
  expect(median([4, 1, 2, 3])).toBe(2.5)
  expect(ratioText([1.2, 0.8, 1])).toBe('1.00 × (0.80 to 1.20)')
})

test('a goal is judged by the figure that the table shows', () => {
  expect(goalText(1, [0.996])).toBe('at least 1.0 ×: reached')
  expect(goalText(1, [0.994])).toBe('at least 1.0 ×: missed')
  expect(goalText(1, [0.9], 'less')).toBe('at most 1.0 ×: reached')
  expect(goalText(1, [1.1], 'less')).toBe('at most 1.0 ×: missed')
  expect(goalText(undefined, [1])).toBe('')
})

test('a section is a heading, a text and a table', () => {
  expect(toMarkdown({ title: 'Speed', text: 'How.', head: ['a', 'b'], rows: [['1', '2']] })).toBe(
    '## Speed\n\nHow.\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n',
  )
})
