import { act } from './act.ts'
import { connection, useSlice } from './page-state.ts'
import { useStore } from './store.ts'
import { nextTheme, theme } from './theme.ts'

export function Header() {
  const lesson = useSlice('lesson')
  const grading = useSlice('grading')
  const isHere = useSlice('server') !== undefined
  const passed = grading?.checks.filter(({ state }) => state === 'passed').length
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
            {lesson.isExhibit && ', the exhibit'}
          </>
        ) : (
          isHere && 'The wire'
        )}
      </h1>
      <div className="facts">
        {grading && grading.checks.length > 0 && (
          <span>
            <strong>
              {passed}/{grading.checks.length}
            </strong>{' '}
            checks
          </span>
        )}
        {lesson?.minutes !== undefined && <span>{lesson.minutes} min</span>}
        <Connection />
        {lesson && (
          <span className="pair">
            <Go to={lesson.previous} label="Previous lesson" shape="◀" />
            <Go to={lesson.next} label="Next lesson" shape="▶" />
          </span>
        )}
        <ThemeButton />
      </div>
    </header>
  )
}

function Go({
  to,
  label,
  shape,
}: {
  to: { number: number; title: string } | undefined
  label: string
  shape: string
}) {
  const name = to ? `${label}: ${to.number}, ${to.title}` : `${label}: there is none`
  return (
    <button
      type="button"
      aria-label={name}
      title={name}
      disabled={!to}
      onClick={() => to && act({ do: 'lesson', number: to.number })}
    >
      {shape}
    </button>
  )
}

function Connection() {
  const lesson = useSlice('lesson')
  const state = useStore(connection, (now) => now)
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
  const name = useStore(theme, (now) => now)
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
