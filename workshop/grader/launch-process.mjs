// Runs one of the learner's server processes, see learner-processes.ts. This file is JavaScript, because the process may not
// start a compiler. It is started ahead, and loads the packages while it waits. Its arguments are the files with the packages.
import process from 'node:process'
import { pathToFileURL } from 'node:url'

await Promise.all(process.argv.slice(2).map((file) => import(pathToFileURL(file).href)))
process.send({ isReady: true })
process.once('message', async ({ file, settings }) => {
  try {
    const { startProcess } = await import(file)
    const { port, stop } = await startProcess(settings)
    process.once('SIGTERM', async () => {
      await stop()
      // The process ends now, unless the learner's code has left something running.
      process.disconnect()
    })
    process.send({ port })
  } catch (error) {
    process.send({ failed: error instanceof Error ? error.message : String(error) })
  }
})
