import { spawn } from 'node:child_process'
import process from 'node:process'
import type { Copy } from './copy.ts'

/** A running command of a copied workshop. */
export type Program = {
  readonly pid: number
  readonly output: string
  /** Waits for the next match in the output. */
  seen(pattern: RegExp): Promise<RegExpExecArray>
  /** The exit code, or null if a signal ended the process. */
  readonly ended: Promise<number | null>
  kill(signal: NodeJS.Signals): void
}

/** Runs `npm run WORDS…`, but without npm. */
export function start(copy: Copy, args: string[], env: NodeJS.ProcessEnv): Program {
  const inherited: NodeJS.ProcessEnv = { ...process.env, NO_COLOR: '1', INIT_CWD: copy.folder }
  delete inherited.FORCE_COLOR
  delete inherited.NODE_ENV
  // A copy shares the packages of this repository. If it tried to install packages, it would not find npm.
  inherited.npm_execpath = 'no npm-cli.js'
  const child = spawn(process.execPath, ['workshop/start.mjs', ...args], {
    cwd: copy.folder,
    env: { ...inherited, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  running.add(child)
  let output = ''
  let read = 0
  let isOver = false
  let wake = (): void => {}
  const hear = (text: Buffer): void => {
    output += text.toString()
    wake()
  }
  child.stdout.on('data', hear)
  child.stderr.on('data', hear)
  const ended = new Promise<number | null>((resolve) => {
    child.once('close', (code) => {
      running.delete(child)
      isOver = true
      wake()
      resolve(code)
    })
  })

  return {
    pid: child.pid!,
    get output() {
      return output
    },
    ended,
    kill: (signal) => void child.kill(signal),
    async seen(pattern) {
      for (;;) {
        const match = pattern.exec(output.slice(read))
        if (match) {
          read += match.index + match[0].length
          return match
        }
        if (isOver) throw new Error(`it ended without ${pattern}; it printed:\n${output}`)
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    },
  }
}

/** Ends every command that is still running. Call this function in `afterEach()`. */
export function endPrograms(): void {
  for (const child of running) child.kill('SIGKILL')
}

const running = new Set<ReturnType<typeof spawn>>()
