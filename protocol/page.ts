import type { Quake } from '#feed'
import type { CheckResult, Verdict } from './verdict.ts'
import type { Leaks } from './runtime.ts'
import type { Measured, MeasuredVerdict, NotMeasured, Way } from './experiment.ts'

/** The state that the page shows, in slices. A slice is sent as a whole whenever it changes. */
export type PageState = {
  /** Absent in `npm run wire`, which shows only the wire. */
  lesson?: LessonState
  grading?: GradingState
  server: ServerState
  clients: ClientState[]
  /** The learner's own client, in lessons that have one. */
  learnerClient?: LearnerClientState
  faults: FaultState
  recording: RecordingState
  /** Only in a lesson that has an experiment. */
  experiment?: ExperimentState
}

export type LessonState = {
  number: number
  title: string
  minutes?: number
  /** How many lessons there are. */
  of: number
  /** The folder as the learner knows it: `lessons/01-raw-chunks`. */
  folder: string
  isExhibit: boolean
  /** The README, in Markdown. */
  readme: string
  /** Why the README could not be read. */
  problem?: string
  tasks: { id: string; title: string }[]
  /** Names of the files to edit, in the lesson's folder. */
  files: string[]
  previous?: { number: number; title: string }
  next?: { number: number; title: string }
}

export type GradingState = {
  isRunning: boolean
  /** In diagnosis order. `isOld`: the result is from the previous grading, because the current one has not reached this check. */
  checks: (CheckResult & { isOld: boolean })[]
  /** The outcome of the last grading that finished. */
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
  /** Its file as the learner knows it; absent if it is the lesson's own server.ts. */
  file?: string
  /** The address for clients, which leads through the tap: `http://127.0.0.1:3101/quakes.ndjson`. */
  url: string
  /** Why the server is not running, in a sentence. */
  what?: string
  /** The message of the runtime itself. */
  detail?: string
  /** How many readers have the feed open; absent before the first. */
  readers?: number
  leaks?: Leaks
  /** The page on which the learner's component follows the stream. */
  component?: { url: string }
  /** The last lines that the server printed. */
  printed: string[]
}

/** A client that the page has connected. */
export type ClientState = {
  id: number
  state: 'connecting' | 'reading' | 'ended' | 'cut' | 'refused' | 'left'
  /** A sentence about that state: `The server answered 503.` */
  what?: string
  /** How many quakes have arrived. */
  quakes: number
  /** The last few quakes, newest first. */
  last: Quake[]
}

/** The client.ts that runs beside the server. */
export type LearnerClientState = {
  state: 'starting' | 'connecting' | 'open' | 'waiting' | 'over' | 'not written' | 'down'
  /** The path of its file, if it does not belong to the lesson. */
  file?: string
  /** A sentence about that state: `terminated; it asks again in 812 ms`. */
  what?: string
  /** How many quakes the client has delivered. */
  quakes: number
  /** How many quakes are missing between them. */
  missed: number
  /** How many quakes it delivered more than once. */
  twice: number
  /** How many gaps it was told about. */
  gaps: number
  newest?: Quake
}

export type FaultState = {
  isStalled: boolean
  /** How many bytes a second a client reads; absent if there is no limit. */
  slow?: number
  /** After how many response bytes a connection is cut; absent if no cut is planned. */
  cutAfter?: number
  /** What the proxy in front of the server buffers; absent if new connections have no proxy. */
  proxy?: ProxyHolds
}

/** Buffers of 4 KiB, each sent when it is full, or everything until the end. */
export type ProxyHolds = '4 KiB' | 'all'

export type ExperimentState = {
  isMeasuring: boolean
  /** Why the measurement ended early. */
  problem?: string
  ways: WayState[]
}

export type WayState = Way & {
  /** What the learner expects. */
  predicted?: MeasuredVerdict
  result?: Measured | NotMeasured
}

export type RecordingState = {
  /** The number of the first entry to show. The user has cleared the entries before it. */
  from: number
}

/** An action that the page requests by POST to `/do`. */
export type Action =
  | { do: 'grade' }
  | { do: 'restart' }
  /** Kills the server; it restarts after some seconds. */
  | { do: 'kill' }
  /** Opens a file in the editor. `line` is counted from 1. */
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
  /** On a slide, runs the program of a scene. */
  | { do: 'run'; scene: string }
  /** `way` is counted from 1. After a setup has been measured, it can no longer be predicted. */
  | { do: 'predict'; way: number; verdict: MeasuredVerdict | null }
  /** Measures the setups that have not been measured yet. */
  | { do: 'measure' }
  | { do: 'stop measuring' }
  /** Deletes all measurements and predictions. */
  | { do: 'forget measurements' }

/** The result of an action: a sentence for the user. */
export type Answer = { said: string } | { problem: string }
