import { useIsGone, useSlice } from '../state/page-state.ts'
import { requestAction } from '../state/request-action.ts'
import { VisibleText } from './VisibleText.tsx'

/** Text in which file names with a line, when they are the lesson's own, open in the editor. */
export function TextWithFileLinks({ text }: { text: string }) {
  const lesson = useSlice('lesson')
  const isGone = useIsGone()
  if (!lesson) return <VisibleText text={text} />
  return splitAtFileLinks(text, lesson.folder, lesson.files).map((part, index) =>
    typeof part === 'string' ? (
      // Text never changes its order.
      // oxlint-disable-next-line react/no-array-index-key
      <VisibleText key={index} text={part} />
    ) : (
      <button
        // oxlint-disable-next-line react/no-array-index-key
        key={index}
        type="button"
        className="link"
        title="Open in my editor"
        disabled={isGone}
        onClick={() => requestAction({ do: 'open', file: part.file, line: part.line })}
      >
        {part.text}
      </button>
    ),
  )
}

/** A line in a file of the lesson, as it stands in a text. */
type FileLink = { text: string; file: string; line: number }

/**
 * Takes a text apart: what is not a link stays as it is.
 *
 * Links are `server.ts:15:36`, `…/lessons/01-raw-chunks/server.ts:15` and `server.ts(15,36)`; the folder, if there
 * is one, has to be the lesson's own.
 */
function splitAtFileLinks(text: string, folder: string, files: string[]): (string | FileLink)[] {
  const parts: (string | FileLink)[] = []
  let done = 0
  for (const match of text.matchAll(FILE_LINK)) {
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

/** A path, a name, and a line after a colon or in brackets. */
const FILE_LINK = /([^\s()'"]*[/\\])?([\w.-]+\.[jt]sx?)(?::(\d+)(?::\d+)?|\((\d+),\d+\))/g
