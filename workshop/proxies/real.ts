import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex, Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from '../free-port.ts'
import { look } from '../parts/look.ts'
import type { Part } from '../parts/part.ts'

/** A proxy that listens on a port of 127.0.0.1. */
export type RunningProxy = {
  readonly port: number
  /** Ends it and all that it has started, and removes its folder. */
  stop(): Promise<void>
}

/** Where a program runs. The folder is its own; `write` gives the path of the file. */
export type Place = {
  port: number
  folder: string
  write(name: string, text: string): string
}

/** The words behind the name of the program that start it. */
type Start = (place: Place) => string[]

/**
 * Starts a proxy in a folder of its own, and waits until it listens.
 *
 * @throws when the part is missing, or with the program's own words when it does not start
 */
export async function startReal(part: Part, start: Start): Promise<RunningProxy> {
  const seen = look(part)
  if ('problem' in seen) throw new Error(`${part.name} is ${seen.problem}`)
  for (let tries = 1; ; tries += 1) {
    try {
      return await tryToStart(seen.path, start)
    } catch (error) {
      // Somebody else took the port between our look and its.
      if (!/in use/i.test(String(error)) || tries === 5) throw error
    }
  }
}

/**
 * Whatever becomes of us, the proxy and its folder go: the shell that starts it leaves somebody behind who waits
 * for the end of a pipe, and that comes when we stop it, when we end, and when we are killed.
 */
const SCRIPT =
  '(cat <&3 >/dev/null; kill -9 $$ 2>/dev/null; rm -rf "$0"; kill -9 0) & exec "$@" 3<&-'

async function tryToStart(program: string, start: Start): Promise<RunningProxy> {
  const port = await freePort()
  const folder = mkdtempSync(join(tmpdir(), 'workshop-proxy-'))
  // Started by root, most of them go on as somebody else.
  chmodSync(folder, 0o755)
  const words = start({
    port,
    folder,
    write(name, text) {
      writeFileSync(join(folder, name), text)
      return join(folder, name)
    },
  })
  const child = spawn('/bin/sh', ['-c', SCRIPT, folder, program, ...words], {
    cwd: folder,
    env: { ...process.env, HOME: folder },
    // A group of its own, so that all of it can be ended; Ctrl-C at our terminal does not reach it.
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
  })
  let said = ''
  for (const stream of [child.stdout, child.stderr]) {
    stream!.on('data', (text: Buffer) => {
      said = (said + text.toString()).slice(-2000)
    })
  }
  const lifeline = child.stdio[3] as Duplex
  lifeline.on('error', () => {})
  // Its pipes are closed when nobody of the group is left.
  const gone = once(child, 'close')
  // We need not stay for it: it goes with us.
  child.unref()
  for (const pipe of [child.stdout, child.stderr, lifeline]) unref(pipe)

  const stop = async (): Promise<void> => {
    lifeline.destroy()
    child.ref()
    for (const pipe of [child.stdout, child.stderr]) ref(pipe)
    await gone
  }

  for (let turns = 0; turns < 500; turns += 1) {
    if (child.exitCode !== null || child.signalCode !== null || /in use/i.test(said)) break
    if (await accepts(port)) return { port, stop }
    await sleep(10)
  }
  await stop()
  throw new Error(said.trim().replaceAll(`${folder}/`, '') || `${program} does not listen`)
}

type Handle = { ref(): void; unref(): void }

function unref(pipe: Readable | null): void {
  ;(pipe as unknown as Handle).unref()
}

function ref(pipe: Readable | null): void {
  ;(pipe as unknown as Handle).ref()
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
