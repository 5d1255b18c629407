// The program of the process that runs a lesson's server during a soak test.
import { createServer } from 'node:http'
import { listenOnFreePort } from '../../wire/listen.ts'
import { exitWithParent } from '../process/exit-with-parent.ts'
import { appOf } from './app-of.ts'
import type { FromServer, Start } from './messages.ts'
import { measuring } from './measuring.ts'

exitWithParent()
process.once('message', (start: Start) => void run(start))

async function run(start: Start): Promise<void> {
  const responses = measuring()
  const { app, listeners } = await appOf(start)
  const port = await listenOnFreePort(createServer(app))
  process.on('message', () => {
    void responses
      .measure()
      .then((measured) => tell({ reading: { listeners: listeners(), ...measured } }))
  })
  tell({ port })
}

function tell(message: FromServer): void {
  process.send!(message)
}
