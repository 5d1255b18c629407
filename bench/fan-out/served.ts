import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import type { Quake } from '#feed'
import { forkTypeScript } from '../../workshop/process/fork-typescript.ts'
import { ROOT } from '../../workshop/root.ts'
import type { Answer, Order } from './server-process.ts'
import type { ServerName } from './servers.ts'

/** A server in a process of its own. */
export type Served = {
  name: ServerName
  port: number
  publish(quake: Quake): void
  /** Returns the CPU time that the process has used, and the memory that it occupies, in bytes. */
  measure(): Promise<{ cpuMs: number; memory: number }>
  stop(): Promise<void>
}

export async function serve(name: ServerName): Promise<Served> {
  const child = forkTypeScript(join(ROOT, 'bench/fan-out/server-process.ts'), 'inherit')
  const { port } = (await ask(child, { start: name })) as { port: number }
  return {
    name,
    port,
    publish: (quake) => void child.send({ publish: quake } satisfies Order),
    measure: async () => (await ask(child, { measure: true })) as { cpuMs: number; memory: number },
    async stop() {
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    },
  }
}

async function ask(child: ChildProcess, order: Order): Promise<Answer> {
  const answered = once(child, 'message')
  child.send(order)
  const [answer] = (await answered) as [Answer]
  return answer
}
