import { useEffect } from 'react'
import type { PageState } from '../../../protocol/page.ts'
import { scoreInWords, scoreOf } from '../../../protocol/score.ts'
import { channelState, useIsGone, useSlice } from './state/page-state.ts'
import { useStore } from './state/store.ts'
import { nextTheme, theme } from './state/theme.ts'
import { ActionButton } from './ui/ActionButton.tsx'

export function Header() {
  const lesson = useSlice('lesson')
  const grading = useSlice('grading')
  const isHere = useSlice('server') !== undefined
  const lacking = grading?.checks.filter(({ lacks }) => lacks).length
  const isGone = useIsGone()
  const title = titleOf(lesson, grading, isGone)
  useEffect(() => {
    document.title = title
  }, [title])
  return (
    <header className="masthead">
      <p className="brand">Tremor</p>
      <h1>
        {lesson ? (
          <>
            <span className="quiet">
              Lesson {lesson.number} of {lesson.of}
            </span>{' '}
            {lesson.title}
            {lesson.isExhibit && ' (exhibit)'}
          </>
        ) : (
          isHere && 'The wire'
        )}
      </h1>
      <div className="facts">
        {grading && grading.checks.length > 0 && (
          <span>
            <strong>{scoreInWords(scoreOf(grading.checks))}</strong>
            {lacking ? `, ${lacking} not graded` : ''}
          </span>
        )}
        {lesson?.minutes !== undefined && <span>{lesson.minutes} min</span>}
        <Connection />
        {lesson && (
          <span className="pair">
            <Go to={lesson.previous} label="Previous lesson" isBack />
            <Go to={lesson.next} label="Next lesson" />
          </span>
        )}
        <ThemeButton />
      </div>
    </header>
  )
}

/** Returns the document's title: `✓ 20/20 core · 3/9 edge cases · Raw chunks · Tremor`. */
function titleOf(
  lesson: PageState['lesson'],
  grading: PageState['grading'],
  isGone: boolean,
): string {
  const { checks = [], outcome, isRunning } = grading ?? {}
  const shape = isRunning
    ? '…'
    : { pass: '✓', fail: '✗', error: '!', stuck: '!' }[outcome ?? 'fail']
  const isGraded = isRunning || outcome !== undefined
  const grade = isGraded && checks.length > 0 && `${shape} ${scoreInWords(scoreOf(checks))}`
  const state = isGone ? 'disconnected' : grade
  return [state, lesson?.title ?? 'The wire', 'Tremor'].filter(Boolean).join(' · ')
}

function Go({
  to,
  label,
  isBack = false,
}: {
  to: { number: number; title: string } | undefined
  label: string
  isBack?: boolean
}) {
  if (!to) return null
  const name = `${label}: ${to.number}, ${to.title}`
  return (
    <ActionButton action={{ do: 'lesson', number: to.number }} aria-label={name} title={name}>
      {isBack ? `◀ lesson ${to.number}` : `lesson ${to.number} ▶`}
    </ActionButton>
  )
}

function Connection() {
  const lesson = useSlice('lesson')
  const state = useStore(channelState)
  return (
    <span role="status" className={`connection ${state}`}>
      {state === 'live' && (
        <>
          <span aria-hidden="true">●</span> live
        </>
      )}
      {state === 'connecting' && 'connecting …'}
      {state === 'reconnecting' && (
        <>
          <span aria-hidden="true">○</span> reconnecting. Is the workshop running?{' '}
          {lesson && <code>npm run lesson {lesson.number}</code>}
        </>
      )}
    </span>
  )
}

function ThemeButton() {
  const name = useStore(theme)
  const shape = { system: '◐', dark: '☾', light: '☀' }[name]
  return (
    <button
      type="button"
      className="theme"
      aria-label={`Colours: ${name}. Change`}
      title={`Colours: ${name}`}
      onClick={nextTheme}
    >
      {shape} {name}
    </button>
  )
}
