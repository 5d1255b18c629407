import { act } from '../state/request-action.ts'
import { useIsGone, useSlice } from '../state/page-state.ts'
import { placesIn } from './file-links.ts'
import { Visible } from './VisibleText.tsx'

/** Text in which the places in files of the lesson open in the editor. */
export function WithPlaces({ text }: { text: string }) {
  const lesson = useSlice('lesson')
  const isGone = useIsGone()
  if (!lesson) return <Visible text={text} />
  return placesIn(text, lesson.folder, lesson.files).map((part, index) =>
    typeof part === 'string' ? (
      // Text never changes its order.
      // oxlint-disable-next-line react/no-array-index-key
      <Visible key={index} text={part} />
    ) : (
      <button
        // oxlint-disable-next-line react/no-array-index-key
        key={index}
        type="button"
        className="link"
        title="Open in my editor"
        disabled={isGone}
        onClick={() => act({ do: 'open', file: part.file, line: part.line })}
      >
        {part.text}
      </button>
    ),
  )
}
