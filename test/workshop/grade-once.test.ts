import { readFileSync } from 'node:fs'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { layOut, mistakeCalled } from '../../workshop/mistakes/mistakes.ts'
import { copyOfWorkshop, type Copy } from './copy.ts'
import { endPrograms, run } from './program.ts'

// Tests `npm test -- lesson1`, the command.
let copy: Copy
beforeAll(() => {
  copy = copyOfWorkshop({ harness: true })
})
afterEach(endPrograms)
afterAll(() => copy.remove())

async function graded(...args: string[]): Promise<{ code: number | null; output: string }> {
  const program = run(copy, ['test', ...args], { SEED: '1' })
  return { code: await program.ended, output: program.output }
}

describe('a lesson with one mistake', () => {
  const gradeMistake = (name: string): ReturnType<typeof graded> => {
    layOut(mistakeCalled(`lesson1/${name}`), copy.path(name))
    return graded('lesson1', name)
  }

  test('is passed if only an edge case fails, which is counted', async () => {
    const { code, output } = await gradeMistake('listens-too-late')
    expect(output).toMatch(
      /^passed · lesson 1 \S+: (\d+)\/\1 core · (\d+)\/(?!\2)\d+ edge cases · /m,
    )
    expect(output).toContain('The first of them: npm test -- lesson1.3b listens-too-late')
    expect(code).toBe(0)
  })

  test('is not passed if a core check fails', async () => {
    const { code, output } = await gradeMistake('never-cleans-up')
    expect(output).toMatch(/^not yet · lesson 1 \S+: (\d+)\/(?!\1)\d+ core · /m)
    expect(output).toContain('✗ 1.3a')
    expect(code).toBe(1)
  })
})

describe('a task that fails', () => {
  const write = (type: string): void => {
    const solution = readFileSync(copy.path('solutions/01-raw-chunks/server.ts'), 'utf8')
    const withoutDrain = solution.replace(/^.*if \(!hasRoom\).*\n/m, '')
    const server = withoutDrain.replace('application/x-ndjson', type)
    copy.write('lessons/01-raw-chunks/server.ts', server)
  }

  test('names the first core check that fails before it', async () => {
    write('text/plain')
    const { output } = await graded('lesson1.4')
    expect(output).toMatch(
      /\nAn earlier check, 1\.1b, fails too\. Begin there: npm test -- lesson1\.1b\n$/,
    )
  })

  test('names no check if all checks before it pass, or if it is not written', async () => {
    write('application/x-ndjson')
    for (const task of ['1.4', '1.6']) {
      const { code, output } = await graded(task)
      expect(code).toBe(1)
      expect(output).toMatch(/^not yet · /m)
      expect(output).not.toContain('earlier')
    }
  })
})
