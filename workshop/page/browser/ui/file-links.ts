/** A place in a file of the lesson, as it stands in a text. */
export type Place = { text: string; file: string; line: number }

/**
 * Takes a text apart: what is not a place stays as it is.
 *
 * Places are `server.ts:15:36`, `…/lessons/01-raw-chunks/server.ts:15` and `server.ts(15,36)`; the folder, if there
 * is one, has to be the lesson's own.
 */
export function placesIn(text: string, folder: string, files: string[]): (string | Place)[] {
  const parts: (string | Place)[] = []
  let done = 0
  for (const match of text.matchAll(PLACE)) {
    const [found, path = '', name, colon, bracket] = match
    const isOurs = path === '' || path.endsWith(`${folder.split('/').at(-1)}/`)
    if (!isOurs || !files.includes(name!)) continue
    parts.push(text.slice(done, match.index), {
      text: found,
      file: name!,
      line: Number(colon ?? bracket),
    })
    done = match.index + found.length
  }
  return [...parts, text.slice(done)].filter((part) => part !== '')
}

/** A path, a name, and a line behind a colon or in brackets. */
const PLACE = /([^\s()'"]*[/\\])?([\w.-]+\.[jt]sx?)(?::(\d+)(?::\d+)?|\((\d+),\d+\))/g
