import { once } from 'node:events'
import {
  chmodSync,
  chownSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../http/ports.ts'
import { startTethered, type User } from '../process/tethered-program.ts'
import { type ExternalTool, probe } from '../tools/external-tool.ts'

/** A running proxy, which listens on 127.0.0.1. */
export type RunningProxy = {
  readonly port: number
  /** Kills the proxy and its child processes, and removes its folder. */
  stop(): Promise<void>
}

/** The port of a proxy, and its own folder. `write()` returns the path of the file that it has written there. */
export type ProxyDir = {
  port: number
  folder: string
  write(name: string, text: string): string
}

export type ProxyOptions = {
  /** Whether the proxy gets limits and, if we are root, an unprivileged user, because its configuration is not ours. */
  isConfined?: boolean
}

/** Writes the proxy's files and returns the arguments for its program. */
type Start = (dir: ProxyDir) => string[]

/**
 * Starts a proxy in a folder of its own, and waits until it listens.
 *
 * @throws Error if the tool is missing or, with the program's own output, if it does not start
 */
export async function startProxyProcess(
  tool: ExternalTool,
  start: Start,
  options: ProxyOptions = {},
): Promise<RunningProxy> {
  const seen = probe(tool)
  if ('problem' in seen) throw new Error(`${tool.name} is ${seen.problem}`)
  for (let tries = 1; ; tries += 1) {
    try {
      return await tryToStart(seen.path, start, options)
    } catch (error) {
      // Try again if another program has taken the port since we found it free.
      if (!/in use/i.test(String(error)) || tries === 5) throw error
    }
  }
}

async function tryToStart(
  path: string,
  start: Start,
  { isConfined = false }: ProxyOptions,
): Promise<RunningProxy> {
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'workshop-proxy-'))
  // If root starts a proxy, most proxies switch to another user, who must be able to read the folder.
  chmodSync(folder, 0o755)
  const args = start({
    port,
    folder,
    write(name, text) {
      writeFileSync(join(folder, name), text)
      return join(folder, name)
    },
  })
  const program = isConfined
    ? startTethered('/bin/sh', ['-c', LIMITED, path, path, ...args], folder, {
        user: handOver(folder),
      })
    : startTethered(path, args, folder)
  for (let turns = 0; turns < 500; turns += 1) {
    if (program.hasEnded || /in use/i.test(program.printed)) break
    if (await accepts(port)) return { port, stop: program.stop }
    await sleep(10)
  }
  await program.stop()
  throw new Error(program.printed.trim().replaceAll(`${folder}/`, '') || `${path} does not listen`)
}

/**
 * Runs a program that may use 1 GB of memory, and write files of at most 256 MB. Not every system knows both limits.
 */
const LIMITED = 'ulimit -v 1000000; ulimit -f 524288; exec "$@"'

/** If we are root, gives the folder and its files to an unprivileged user, and returns that user. */
function handOver(folder: string): User | undefined {
  const user = process.getuid?.() === 0 ? nobody() : undefined
  if (!user) return undefined
  for (const path of [folder, ...readdirSync(folder).map((name) => join(folder, name))]) {
    chownSync(path, user.uid, user.gid)
  }
  return user
}

function nobody(): User | undefined {
  const line = /^nobody:[^:]*:(-?\d+):(-?\d+):/m.exec(readFileSync('/etc/passwd', 'utf8'))
  return line ? { uid: Number(line[1]), gid: Number(line[2]) } : undefined
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect({ port, host: '127.0.0.1' })
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
