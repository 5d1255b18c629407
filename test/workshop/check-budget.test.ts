import { expect, test } from 'vitest'
import { turns } from '../harness/event-loop.ts'
import { toolbox } from '../harness/toolbox.ts'
import { newTranscript } from '../harness/transcript.ts'

test('a check that never ends is ended by its budget, cleans up, and reports its last step', async () => {
  const tools = toolbox(newTranscript(), 2)
  let isClean = false
  const playing = tools.play(async (t) => {
    t.atEnd(() => (isClean = true))
    t.transcript.step('the client waits')
    await new Promise(() => {})
  })
  await expect(playing).rejects.toThrow(/still running .* Its last step was: the client waits/)
  expect(isClean).toBe(true)
})

test('the budget holds for a check that keeps waiting for one thing after another', async () => {
  const tools = toolbox(newTranscript(), 2)
  let isOver = false
  const playing = tools.play(async () => {
    while (!isOver) await turns()
  })
  await expect(playing).rejects.toThrow(/None of its steps had ended/)
  isOver = true
})

test('a check that ends in time is left alone', async () => {
  const tools = toolbox(newTranscript(), 2)
  await expect(tools.play(() => turns(3))).resolves.toBeUndefined()
})
