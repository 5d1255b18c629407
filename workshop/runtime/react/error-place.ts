/**
 * Returns where in the learner's files an error was thrown: `useQuakes.ts, line 32`.
 *
 * A browser counts lines in the code that Vite has compiled, so this function asks Vite for the lines in the source.
 */
export async function placeOf(error: unknown): Promise<string | undefined> {
  const stack = (error instanceof Error && error.stack) || ''
  const frames = stack.matchAll(/https?:\/\/[^/\s]+(\/[^\s()]*?:\d+:\d+)/g)
  const query = new URLSearchParams([...frames].slice(0, FRAMES).map(([, at]) => ['at', at!]))
  try {
    const response = await fetch(`/where?${query}`)
    const place: { file: string; line: number } | null = await response.json()
    return place ? `${place.file}, line ${place.line}` : undefined
  } catch {
    return undefined
  }
}

/** The maximum number of stack frames to send: enough to get past the frames of React. */
const FRAMES = 20
