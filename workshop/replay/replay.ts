import { basename, resolve } from 'node:path'
import { listenOnFreePort } from '../../wire/listen.ts'
import { legible } from '../../wire/visible.ts'
import { exitRequest } from '../process/exit-request.ts'
import { fastClock, realClock } from './clock.ts'
import { replayServer } from './replay-server.ts'
import { readSaved, type Saved, type SavedResponse } from './saved-response.ts'

/** `npm run wire replay wire.ndjson [fast]` serves the responses in a file until Ctrl-C, and returns the exit code. */
export async function replay(args: string[]): Promise<number> {
  const words = args.filter((arg) => arg !== '')
  const isFast = words.length > 1 && words.at(-1) === 'fast'
  const [file, ...rest] = isFast ? words.slice(0, -1) : words
  if (file === undefined || rest.length > 0) {
    return refuse('Which file? For example: npm run wire replay wire.ndjson')
  }
  let saved: Saved
  try {
    saved = readSaved(resolve(process.env.INIT_CWD ?? process.cwd(), file), file)
  } catch (error) {
    return refuse((error as Error).message)
  }
  const exit = exitRequest()
  const print = (line: string): void => console.log(legible(line))
  const clock = isFast ? fastClock : realClock
  const server = replayServer(saved.responses, clock, print)
  const port = await listenOnFreePort(server)
  for (const line of header(file, saved, `http://127.0.0.1:${port}`, isFast)) print(line)
  const code = await exit.requested
  server.close()
  server.closeAllConnections()
  return code
}

function refuse(why: string): number {
  console.error(legible(why))
  return 2
}

function header(file: string, saved: Saved, url: string, isFast: boolean): string[] {
  const of = saved.server === undefined ? '' : `, recorded from ${saved.server}`
  const timing = isFast ? 'without its pauses' : 'with its original timing'
  return [
    '',
    `Replaying ${basename(file)}${of}, ${timing}`,
    '',
    ...saved.responses.map((response) => `  ${describe(response, url)}`),
    ...saved.leftOut.map((reason) => `  Left out: ${reason}`),
    '',
    'Press Ctrl-C to stop.',
    '',
  ]
}

/** Returns `http://127.0.0.1:4000/events  200, 12 parts in 3.2 s, then the connection is reset`. */
function describe({ method, target, status, pieces, end, endAt }: SavedResponse, url: string) {
  const asks = method === 'GET' ? url + target : `${method} ${url}${target}`
  const parts = pieces.length === 1 ? '1 part' : `${pieces.length} parts`
  return `${asks}  ${status}, ${parts} in ${(endAt / 1000).toFixed(1)} s, ${ENDS[end]}`
}

const ENDS = {
  complete: 'then the end',
  ended: 'then the connection closes in the middle of the response',
  reset: 'then the connection is reset',
  open: 'then it stays open, because the recording does not contain its end',
}
