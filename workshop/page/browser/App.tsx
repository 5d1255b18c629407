import { Experiment } from './experiment/Experiment.tsx'
import { Header } from './Header.tsx'
import { Checks } from './lesson/Checks.tsx'
import { Instructions } from './lesson/Instructions.tsx'
import { Load } from './load/Load.tsx'
import { Processes } from './processes/Processes.tsx'
import { LiveComponent } from './server/LiveComponent.tsx'
import { Meter } from './server/Meter.tsx'
import { Sharing } from './Sharing.tsx'
import { notification } from './state/notification.ts'
import { useSlice } from './state/page-state.ts'
import { useStore } from './state/store.ts'
import { Splitter } from './ui/Splitter.tsx'
import { Wire } from './wire/Wire.tsx'

export function App() {
  const lesson = useSlice('lesson')
  const grading = useSlice('grading')
  const server = useSlice('server')
  const experiment = useSlice('experiment')
  const load = useSlice('load')
  const processes = useSlice('processes')
  const sharing = useSlice('sharing')
  if (!server) return <Header />
  return (
    <>
      <a className="skip" href="#chart">
        Skip to the wire
      </a>
      <Header />
      {sharing && <Sharing sharing={sharing} />}
      <main className={lesson ? 'lesson' : 'only-wire'}>
        {lesson && (
          <>
            <Instructions key={lesson.number} lesson={lesson} />
            <Splitter name="left" label="Width of the instructions" />
          </>
        )}
        <div className="work">
          {grading && (
            <>
              <Checks grading={grading} />
              <Splitter name="top" label="Height of the checks" />
            </>
          )}
          <div className="live">
            {server.component && <LiveComponent url={server.component.url} server={server} />}
            {server.question !== undefined && <Meter meter={server.meter} />}
            {experiment && <Experiment experiment={experiment} />}
            {load && <Load load={load} />}
            {processes && <Processes processes={processes} />}
            <Wire />
          </div>
        </div>
      </main>
      <footer>
        <nav aria-label="Parts of the page">
          {lesson && <a href="#page">Lesson</a>}
          {grading && <a href="#checks-title">Checks</a>}
          {server.component && <a href="#component-title">Component</a>}
          {server.question !== undefined && <a href="#meter-title">Meter</a>}
          {experiment && <a href="#experiment-title">Experiment</a>}
          {load && <a href="#load-title">Load</a>}
          {processes && <a href="#processes-title">Processes</a>}
          <a href="#wire-title">Wire</a>
        </nav>
        <Notification />
        <p id="wire-keys" className="quiet">
          Keys in the chart: ← → select · + − zoom · 0 show the last 10 s · Space pause
        </p>
      </footer>
    </>
  )
}

/** Shows the workshop's last answer. Screen readers announce the answer when it changes. */
function Notification() {
  const { text, isProblem } = useStore(notification)
  return (
    <p role="status">
      {isProblem && <strong className="bad">! </strong>}
      {text}
    </p>
  )
}
