import { tap, type Tap } from '../../wire/tap.ts'
import type { Problem } from '../lessons/args.ts'

type TapOptions = Omit<Parameters<typeof tap>[0], 'port'>

/**
 * Opens the tap. If PORT is set, tries only that port. Otherwise uses the lesson's own port or the next free one.
 */
export async function openTap(
  lesson: number,
  options: TapOptions,
): Promise<{ tap: Tap; preferredPort?: number } | Problem> {
  const { PORT } = process.env
  if (PORT) {
    const port = Number(PORT)
    if (!Number.isInteger(port) || port < 0 || port > 65_535) {
      return { problem: `PORT must be a port number from 0 to 65535, got "${PORT}".` }
    }
    const opened = await unlessTaken(port, options)
    if (opened) return { tap: opened }
    return {
      problem: `Port ${port} is taken by another program. Choose another port, for example PORT=${port + 1}, or do not set PORT.`,
    }
  }
  const first = FIRST_PORT + lesson
  for (let port = first; port < first + 50; port += 1) {
    const opened = await unlessTaken(port, options)
    if (opened) return { tap: opened, ...(port !== first && { preferredPort: first }) }
  }
  return {
    problem: `The ports from ${first} to ${first + 49} are all taken. Choose another one, for example PORT=4000.`,
  }
}

/** Opens the tap. Returns undefined if the port is taken or reserved (EACCES). */
async function unlessTaken(port: number, options: TapOptions): Promise<Tap | undefined> {
  try {
    return await tap({ ...options, port })
  } catch (error) {
    const { code = '' } = error as NodeJS.ErrnoException
    if (code === 'EADDRINUSE' || code === 'EACCES') return undefined
    throw error
  }
}

const FIRST_PORT = 3100
