/** A program to run on a slide, and the steps to take. The recording of the run is the slide's picture. */
export type Scene = {
  /** The name of the scene and of its recording. */
  name: string
  /** The folder of the program: a solution, a mistake or an exhibit. */
  program: string
  steps: Step[]
  /**
   * The arrival of response bytes at the client to show byte by byte, counted from 1. If absent, no arrival is shown
   * in this way.
   */
  shows?: number
  /** The text at whose last chunk the shown bytes begin. If absent, they begin with the arrival. */
  showsFrom?: string
  /** The query of the requests: `?when_slow=latest`. */
  query?: string
  /** The `limit` that is passed to `createApp()`. */
  limit?: number
}

/**
 * A step of a scene. `proxy` puts a proxy between server and client. `watch` connects a client that reconnects after a
 * cut, which is an EventSource or, for a filtered stream, the client of lesson 7. If the server answers questions, each
 * client asks one, and with `watch` fetches the rest after a cut. `stop` stops the answer of the last client. `kill`
 * kills the process with the most clients, if the server runs in several processes.
 * `connect again` connects another client.
 * `fill` makes every buffer between the server and its clients look full, until `drain`. A number waits for that many
 * seconds, and a rule replaces the rules of a filtered stream.
 */
export type Step = (typeof WORDS)[number] | number | { rule: string }

/**
 * Parses a scene:
 *
 *     ```wire never-cleans-up
 *     test/mistakes/lesson1/never-cleans-up
 *     connect
 *     2 s
 *     leave
 *     shows 3
 *     ```
 *
 * @param name the word after `wire`
 * @throws Error if a line is not a known step
 */
export function sceneIn(name: string, text: string): Scene {
  const [program = '', ...lines] = text.split('\n').filter((line) => line.trim() !== '')
  if (!/^[a-z0-9-]+$/.test(name))
    throw new Error(`a wire needs a name, such as a-client-leaves, got "${name}"`)
  const scene: Scene = { name, program, steps: [] }
  for (const line of lines) {
    const [, shows, from] = /^shows (\d+)(?: from (.+))?$/.exec(line) ?? []
    const [, limit] = /^limit (\d+)$/.exec(line) ?? []
    if (from) scene.showsFrom = from
    if (shows) scene.shows = Number(shows)
    else if (limit) scene.limit = Number(limit)
    else if (line.startsWith('?')) scene.query = line
    else scene.steps.push(stepIn(line))
  }
  return scene
}

function stepIn(line: string): Step {
  const [, seconds] = /^(\d+(?:\.\d+)?) s$/.exec(line) ?? []
  if (seconds) return Number(seconds)
  const [, rule] = /^rule (.+)$/.exec(line) ?? []
  if (rule) return { rule }
  const word = WORDS.find((known) => known === line)
  if (!word)
    throw new Error(`"${line}" is not a step of a wire. Steps are: ${WORDS.join(', ')}, 2 s`)
  return word
}

const WORDS = [
  'proxy',
  'connect',
  'watch',
  'connect again',
  'leave',
  'stop',
  'cut',
  'kill',
  'stall',
  'go on',
  'burst',
  'fill',
  'drain',
] as const
