import type { AddressInfo, Server } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

/** The error if a server could not get a port, although it tried several times. That is the machine's fault, not the work's. */
export class NoPortError extends Error {
  override name = 'NoPortError'
}

/**
 * Makes a server listen on a free port of 127.0.0.1, and returns the port. Tries again if the machine has none at the moment.
 *
 * @throws {NoPortError}
 */
export async function listenOnFreePort(server: Server): Promise<number> {
  for (let tries = 1; ; tries += 1) {
    try {
      await listening(server)
      return (server.address() as AddressInfo).port
    } catch (error) {
      const { code = String(error) } = error as NodeJS.ErrnoException
      if (tries === TRIES) throw new NoPortError(code, { cause: error })
      await sleep(PAUSE_MS)
    }
  }
}

function listening(server: Server): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      server.off('error', reject)
      resolve()
    })
  })
}

const TRIES = 5

/** A neighbour that uses up all ports gives some back when its connections close. */
const PAUSE_MS = 300
