import { useIsGone, useSlice } from '../state/page-state.ts'
import { requestAction } from '../state/request-action.ts'
import { VisibleText } from './VisibleText.tsx'

/** Renders a text. Each reference to a line in one of the lesson's files becomes a link that opens the editor. */
export function TextWithFileLinks({ text }: { text: string }) {
  const lesson = useSlice('lesson')
  const isGone = useIsGone()
  if (!lesson) return <VisibleText text={text} />
  return splitAtFileLinks(text, lesson.folder, lesson.files).map((part, index) =>
    typeof part === 'string' ? (
      // The parts of a text never change their order.
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

/** A reference in a text to a line in a file of the lesson. */
type FileLink = { text: string; file: string; line: number }

/**
 * Splits a text into links and the plain text between them.
 *
 * Links look like `server.ts:15:36`, `…/lessons/01-raw-chunks/server.ts:15` or `server.ts(15,36)`. If there is a folder, it
 * must be the lesson's own.
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

/** Matches a path, a file name, and a line after a colon or in parentheses. */
const FILE_LINK = /([^\s()'"]*[/\\])?([\w.-]+\.[jt]sx?)(?::(\d+)(?::\d+)?|\((\d+),\d+\))/g
