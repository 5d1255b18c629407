import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { serve, type RunningServer } from '../../workshop/http/serve.ts'
import { followersApp } from '../../workshop/slides/followers.ts'
import { leader } from '../../workshop/slides/position.ts'
import { room as makeRoom, type Room } from '../../workshop/slides/room.ts'
import { sceneSession } from '../../workshop/slides/scene-session.ts'
import { copyOfWorkshop, type Copy } from './copy.ts'
import { endPrograms, run } from './program.ts'

let copy: Copy
let room: Room
let board: RunningServer
beforeAll(async () => {
  copy = copyOfWorkshop()
  room = makeRoom()
  board = await serve(
    followersApp({
      ...{ leader: leader(), session: sceneSession(() => []).audience },
      ...{ room, code: 'KMXTRA' },
    }),
    { ports: [0] },
  )
})
afterEach(endPrograms)
afterAll(async () => {
  await board.close()
  copy.remove()
})

test('a learner is told what is shown to whom, is on the board, and disappears when the lesson ends', async () => {
  const here = once(() => learners().length === 1)
  const address = `127.0.0.1:${board.port}`
  const program = run(copy, ['lesson', '1', 'with', address, 'KMXTRA', 'as', 'Ada'])
  await program.seen(
    /Your progress is shown to the instructor's board at 127\.0\.0\.1:\d+ as “Ada”: the lesson and task, /,
  )
  await here
  expect(learners()).toMatchObject([{ name: 'Ada', lesson: 1, task: '1.1', passed: 0 }])
  await program.seen(/The board at 127\.0\.0\.1:\d+ shows your progress\./)
  const left = once(() => learners().length === 0)
  program.kill('SIGINT')
  await left
  expect(await program.ended).toBe(130)
})

test('a wrong code is a clear message, and the lesson goes on', async () => {
  const address = `127.0.0.1:${board.port}`
  const program = run(copy, ['lesson', '1', 'with', address, 'ABCDEF'])
  await program.seen(
    /Your progress is no longer shown\. The board at \S+ refused the code ABCDEF\./,
  )
  // The verdict comes last, because grading takes longer than asking the board.
  await program.seen(/lesson 1: 0\/20 core/)
})

test.each([
  [['lesson', '1', 'with', '127.0.0.1'], '"127.0.0.1" is not the address of a board.'],
  [['lesson', 'with', '127.0.0.1:1', 'KMXTRA'], 'Which lesson?'],
  [['lesson', '2', 'exhibit', 'with', '127.0.0.1:1', 'KMXTRA'], 'An exhibit is not graded'],
])('npm run %j has exit code 2', async (words, says) => {
  const program = run(copy, words)
  expect(await program.ended).toBe(2)
  expect(program.output).toContain(says)
})

function learners(): object[] {
  const message = room.message()
  return message.type === 'room' ? message.learners : []
}

/** Resolves when the room has changed so that `isTrue` returns true. */
function once(isTrue: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const stop = room.listen(() => {
      if (!isTrue()) return
      stop()
      resolve()
    })
  })
}
