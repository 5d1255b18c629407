/** A program that is run on a slide, and what is done to it: the wire that comes of it is the slide's picture. */
export type Scene = {
  /** Of its recording, and of its place on the slides. */
  name: string
  /** The folder of the program: a solution, a mistake or an exhibit. */
  program: string
  steps: Step[]
  /** Which response that reached the client is shown byte by byte, counted from 1; absent when none is. */
  shows?: number
}

/** `proxy` stands before the server from then on; `watch` connects an EventSource, which comes back when it is cut. */
export type Step = 'proxy' | 'connect' | 'watch' | 'leave' | 'cut' | 'stall' | 'go on' | number

/**
 * Reads a scene:
 *
 *     ```wire never-cleans-up
 *     test/mistakes/lesson1/never-cleans-up
 *     connect
 *     2 s
 *     leave
 *     shows 3
 *     ```
 *
 * @param name what stands behind `wire`
 * @throws Error when a line is none of these
 */
export function sceneIn(name: string, text: string): Scene {
  const [program = '', ...lines] = text.split('\n').filter((line) => line.trim() !== '')
  if (!/^[a-z0-9-]+$/.test(name))
    throw new Error(`a wire has a name, as a-client-leaves, got "${name}"`)
  const scene: Scene = { name, program, steps: [] }
  for (const line of lines) {
    const [, shows] = /^shows (\d+)$/.exec(line) ?? []
    if (shows) scene.shows = Number(shows)
    else scene.steps.push(stepIn(line))
  }
  return scene
}

function stepIn(line: string): Step {
  const [, seconds] = /^(\d+(?:\.\d+)?) s$/.exec(line) ?? []
  if (seconds) return Number(seconds)
  const word = WORDS.find((known) => known === line)
  if (!word)
    throw new Error(`"${line}" is nothing that can be done on a wire: ${WORDS.join(', ')}, 2 s`)
  return word
}

const WORDS = ['proxy', 'connect', 'watch', 'leave', 'cut', 'stall', 'go on'] as const
