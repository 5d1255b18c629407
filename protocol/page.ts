import type { Quake } from '#feed'
import type { CheckResult, Verdict } from './verdict.ts'
import type { Leaks } from './runtime.ts'
import type { Measured, MeasuredVerdict, NotMeasured, Way } from './experiment.ts'

/** What the page shows, in slices. A slice is sent whole whenever it changes. */
export type PageState = {
  /** Absent in `npm run wire`: there is no lesson, only the wire. */
  lesson?: LessonState
  grading?: GradingState
  server: ServerState
  clients: ClientState[]
  /** The lesson's own client, where it has one. */
  learnerClient?: LearnerClientState
  faults: FaultState
  recording: RecordingState
  /** Only in a lesson that has one. */
  experiment?: ExperimentState
}

export type LessonState = {
  number: number
  title: string
  minutes?: number
  /** How many lessons there are. */
  of: number
  /** As the learner calls it: `lessons/01-raw-chunks`. */
  folder: string
  isExhibit: boolean
  /** The README, in Markdown. */
  readme: string
  /** Why the README is not there. */
  problem?: string
  tasks: { id: string; title: string }[]
  /** Names of the files to edit, in the lesson's folder. */
  files: string[]
  previous?: { number: number; title: string }
  next?: { number: number; title: string }
}

export type GradingState = {
  isRunning: boolean
  /** In diagnosis order. `isOld`: from the grading before, and not come yet in this one. */
  checks: (CheckResult & { isOld: boolean })[]
  /** Of the last grading that came to its end. */
  outcome?: Verdict['outcome']
  problem?: Verdict['problem']
  typeErrors: string[]
  printed: string
  seed?: number
  /** Milliseconds since 1970. */
  gradedAt?: number
}

export type ServerState = {
  state: 'starting' | 'running' | 'not written' | 'down'
  /** Its file, as the learner calls it; absent when it is the server.ts of the lesson. */
  file?: string
  /** Where clients find it, through the tap: `http://127.0.0.1:3101/quakes.ndjson`. */
  url: string
  /** A sentence: why it does not run. */
  what?: string
  /** In the runtime's own words. */
  detail?: string
  /** How many readers have the feed open; absent before the first. */
  readers?: number
  leaks?: Leaks
  /** Where the component is shown that follows its stream. */
  component?: { url: string }
  /** The last lines it printed. */
  printed: string[]
}

/** A client that the page has connected. */
export type ClientState = {
  id: number
  state: 'connecting' | 'reading' | 'ended' | 'cut' | 'refused' | 'left'
  /** A sentence about that state: `The server answered 503.` */
  what?: string
  /** How many quakes have come, and the last few, the newest first. */
  quakes: number
  last: Quake[]
}

/** The client.ts of a lesson, which runs beside its server. */
export type LearnerClientState = {
  state: 'starting' | 'connecting' | 'open' | 'waiting' | 'over' | 'not written' | 'down'
  /** A sentence about that state: `terminated; it asks again in 812 ms`. */
  what?: string
  /** How many quakes it gave, how many are missing between them, how many it gave before. */
  quakes: number
  missed: number
  twice: number
  /** How often it was told of a gap. */
  gaps: number
  newest?: Quake
}

export type FaultState = {
  isStalled: boolean
  /** Bytes a second that the client reads; absent when it reads all it can. */
  slow?: number
  /** Response bytes after which a connection is cut; absent when none is. */
  cutAfter?: number
  /** What the proxy before the server holds; absent when new connections have none. */
  proxy?: ProxyHolds
}

/** A buffer of 4 KiB after the other, or everything until the end. */
export type ProxyHolds = '4 KiB' | 'all'

export type ExperimentState = {
  isMeasuring: boolean
  /** Why the measuring ended before it was done. */
  problem?: string
  ways: WayState[]
}

export type WayState = Way & {
  /** What the reader expects of it. */
  predicted?: MeasuredVerdict
  result?: Measured | NotMeasured
}

export type RecordingState = {
  /** Entries before this one were cleared away. */
  from: number
}

/** What the page asks for, by POST to `/do`. */
export type Action =
  | { do: 'grade' }
  | { do: 'restart' }
  /** The server is gone for some seconds. */
  | { do: 'kill' }
  /** `line` is counted from 1. */
  | { do: 'open'; file: string; line: number }
  | { do: 'reset' }
  | { do: 'lesson'; number: number }
  | { do: 'connect' }
  | { do: 'leave'; id: number }
  | { do: 'cut' }
  | { do: 'cut after'; bytes: number | null }
  | { do: 'stall'; on: boolean }
  | { do: 'slow'; bytesPerSecond: number | null }
  | { do: 'proxy'; holds: ProxyHolds | null }
  | { do: 'burst' }
  | { do: 'clear' }
  /** On a slide: the program of a scene. */
  | { do: 'run'; scene: string }
  /** `way` is counted from 1. What has been measured can no longer be predicted. */
  | { do: 'predict'; way: number; verdict: MeasuredVerdict | null }
  /** What has not been measured yet. */
  | { do: 'measure' }
  | { do: 'stop measuring' }
  /** Measurements and predictions. */
  | { do: 'forget measurements' }

/** What came of an action: a sentence for the reader. */
export type Answer = { said: string } | { problem: string }
