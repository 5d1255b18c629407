import { afterEach, beforeEach, expect, test } from 'vitest'
import { startCluster } from '../harness/scale-out/cluster.ts'
import { toolbox } from '../harness/toolbox.ts'
import { newTranscript } from '../harness/transcript.ts'
import { learnerProcesses, type LearnerProcesses } from '../../workshop/grader/learner-processes.ts'
import { filledSandbox, type Sandbox } from '../../workshop/grader/sandbox.ts'
import { solutionsFolder } from '../../workshop/lessons/catalogue.ts'

// Kills the processes of lesson 9 at every moment, of which the check 9.6d tries a sample.

let sandbox: Sandbox
let launcher: LearnerProcesses
beforeEach(async () => {
  sandbox = await filledSandbox(solutionsFolder)
  launcher = learnerProcesses(sandbox.folder, '09-scale-out')
})
afterEach(async () => {
  await launcher.end()
  await sandbox.remove()
})

test('wherever a process is killed, a client gets every entry once and in order', async ({
  annotate,
}) => {
  const tools = toolbox(newTranscript(), BUDGET_TURNS)
  let tried = 0
  try {
    await tools.play(async (t) => {
      const cluster = await startCluster(t, { launcher })
      const isReached = async (moment: number): Promise<boolean> =>
        (await cluster.killAt(moment, () => true)) > moment
      while (await isReached(tried)) tried += 1
    })
  } finally {
    await tools.close()
  }
  expect(tried).toBeGreaterThan(FEWEST)
  await annotate(`killed at ${tried} moments: 0 entries lost, 0 entries twice`)
})

/** The time of a check does not matter here. */
const BUDGET_TURNS = 100_000

/** Fewer moments than this would not be every moment. */
const FEWEST = 30
