import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { forkTypeScript } from '../process/fork-typescript.ts'
import type { FromServer, Reading, Start } from './messages.ts'

/** A lesson's server in its own process. */
export type SoakedServer = {
  port: number
  /** Collects the garbage of the process, and measures what it holds. */
  measure(): Promise<Reading>
  /** Rejects if the process ends by itself. */
  ended: Promise<never>
  kill(): void
}

/** Starts a lesson's server. */
export async function startServer(start: Start): Promise<SoakedServer> {
  const child = forkTypeScript(PROGRAM, 'inherit')
  const ended = once(child, 'exit').then(([code, signal]) => {
    throw new Error(`the server of lesson ${start.lesson} ended (${signal ?? code})`)
  })
  // The process also ends when it is killed, and then nothing waits for it.
  ended.catch(() => {})

  async function answerTo(order: object): Promise<FromServer> {
    const answer = once(child, 'message')
    child.send(order)
    const [message] = await Promise.race([answer, ended])
    return message as FromServer
  }

  const first = await answerTo(start)
  if (!('port' in first)) throw new Error('expected a port first')
  return {
    port: first.port,
    async measure() {
      const answer = await answerTo({})
      if (!('reading' in answer)) throw new Error('expected a reading')
      return answer.reading
    },
    ended,
    kill: () => void child.kill('SIGKILL'),
  }
}

const PROGRAM = fileURLToPath(new URL('program.ts', import.meta.url))
