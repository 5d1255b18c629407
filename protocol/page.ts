import type { Quake } from '#feed'
import type { CheckResult, Verdict } from './verdict.ts'
import type { Leaks, Meter } from './runtime.ts'
import type { Measured, MeasuredVerdict, NotMeasured, Way } from './experiment.ts'

/** The state that the page shows, in slices. A slice is sent as a whole whenever it changes. */
export type PageState = {
  /** The lesson. Absent in `npm run wire`, which shows only the wire. */
  lesson?: LessonState
  grading?: GradingState
  server: ServerState
  clients: ClientState[]
  /** The learner's own client, in lessons with such a client. */
  learnerClient?: LearnerClientState
  faults: FaultState
  recording: RecordingState
  /** The experiment. Absent in lessons without an experiment. */
  experiment?: ExperimentState
  /** The load of the server. Absent except in the lesson about slow readers. */
  load?: LoadState
  /** The processes of the server. Absent except in the lesson about several processes. */
  processes?: ProcessesState
  /** The instructor's board that shows the learner's progress. Absent unless the learner has asked for it. */
  sharing?: SharingState
}

export type LessonState = {
  number: number
  title: string
  minutes?: number
  /** The number of lessons. */
  of: number
  /** The folder as the learner knows it: `lessons/01-raw-chunks`. */
  folder: string
  isExhibit: boolean
  /** The README, in Markdown. */
  readme: string
  /** The reason why the README could not be read. */
  problem?: string
  tasks: { id: string; title: string }[]
  /** The names of the files to edit, in the lesson's folder. */
  files: string[]
  previous?: { number: number; title: string }
  next?: { number: number; title: string }
}

export type GradingState = {
  isRunning: boolean
  /**
   * The checks, in diagnosis order. `isOld` means that the result is from the previous grading, because the current grading
   * has not reached the check.
   */
  checks: (CheckResult & { isOld: boolean })[]
  /** The outcome of the last grading that finished. */
  outcome?: Verdict['outcome']
  problem?: Verdict['problem']
  typeErrors: string[]
  typeProblem?: string
  printed: string
  seed?: number
  /** The time of the last grading, in milliseconds since 1970. */
  gradedAt?: number
}

export type ServerState = {
  state: 'starting' | 'running' | 'not written' | 'down'
  /** The server's file as the learner knows it. Absent if it is the lesson's own server.ts. */
  file?: string
  /** The address for clients, which leads through the tap: `http://127.0.0.1:3101/quakes.ndjson`. */
  url: string
  /** The origin of the server that `npm run wire` watches. Absent in lessons. */
  watches?: string
  /** The bearer token that requests need. Absent in lessons without tokens. */
  token?: string
  /** The reason why the server is not running, in a sentence. */
  what?: string
  /** The runtime's own message. */
  detail?: string
  /** The number of readers that have the feed open. Absent before the first reader. */
  readers?: number
  leaks?: Leaks
  /** The question that a client posts. Absent unless the server answers questions. */
  question?: string
  /** The tokens that the server has generated. Absent before the first question. */
  meter?: Meter
  /** The page on which the learner's component follows the stream. */
  component?: { url: string }
  /** The last lines that the server printed. */
  printed: string[]
}

/** A client that the page has connected. */
export type ClientState = {
  id: number
  state: 'connecting' | 'reading' | 'ended' | 'cut' | 'refused' | 'left'
  /** A sentence about the client's state: `The server answered 503.` */
  what?: string
  /** The process that serves the client, in the lesson about several processes. */
  process?: string
  /** The number of quakes that have arrived. */
  quakes: number
  /** The last few quakes, newest first. */
  last: Quake[]
  /** The answer so far. Absent unless the client has asked a question. */
  answer?: { tokens: number; text: string }
}

/** The client.ts that runs alongside the server. */
export type LearnerClientState = {
  state: 'starting' | 'connecting' | 'open' | 'waiting' | 'over' | 'not written' | 'down'
  /** The path of its file, if it does not belong to the lesson. */
  file?: string
  /** A sentence about the connection's state: `terminated; reconnecting in 812 ms`. */
  what?: string
  /** The number of quakes that the client has delivered. */
  quakes: number
  /** The number of quakes that are missing between the delivered ones. Absent if the stream is filtered. */
  missed?: number
  /** The number of quakes that the client has delivered more than once. */
  twice: number
  /** The number of gaps that the client has reported. */
  gaps: number
  newest?: Quake
}

export type FaultState = {
  isStalled: boolean
  /** The number of bytes per second that a client reads. Absent if there is no limit. */
  slow?: number
  /** The number of response bytes after which a connection is cut. Absent if no cut is planned. */
  cutAfter?: number
  /** The part of a response that the proxy buffers. Absent if new connections have no proxy. */
  proxy?: ProxyHolds
}

/** The proxy's buffering: `4 KiB` sends each buffer of 4 KiB when it is full, and `all` sends everything at the end. */
export type ProxyHolds = '4 KiB' | 'all'

export type ExperimentState = {
  isMeasuring: boolean
  /** The reason why the measurement ended early. */
  problem?: string
  ways: WayState[]
}

export type WayState = Way & {
  /** The learner's prediction. */
  predicted?: MeasuredVerdict
  result?: Measured | NotMeasured
}

export type LoadState = {
  /** The number of slow readers that are connected. */
  slowReaders: number
  /** One sample per second, oldest first. */
  samples: LoadSample[]
}

export type LoadSample = {
  /** The time in milliseconds since 1970. */
  at: number
  /** The memory of the server's process, in bytes. */
  heap: number
  external: number
  rss: number
  /** The number of events that the fastest client, and the slowest client, has not received yet. */
  fastest: number
  slowest: number
}

/** The processes of a server, and their connection to Redis. */
export type ProcessesState = {
  /** Whether the real Redis runs, and not the embedded one. Absent before it has started. */
  isRealRedis?: boolean
  /** Whether the processes are cut off from Redis. */
  isRedisAway: boolean
  /** Whether the processes are restarting one after the other. */
  isRolling: boolean
  processes: {
    name: string
    state: 'starting' | 'running' | 'stopping' | 'down'
    /** The number of clients that are connected to the process. */
    clients: number
  }[]
}

/** The connection to the instructor's board. */
export type SharingState = {
  /** The address of the board: `192.168.1.5:3302`. */
  to: string
  /** The learner's nickname. */
  name: string
  state: 'connecting' | 'shown' | 'lost' | 'ended'
  /** The reason why the progress is not shown, in a sentence. */
  what?: string
}

export type RecordingState = {
  /** The number of the first entry to show. The user has cleared the entries before it. */
  from: number
  /** The recorder's time that the page shows as 0, in milliseconds. Absent if it is the beginning of the recording. */
  zero?: number
}

/** An action that the page requests by POST to `/do`. */
export type Action =
  | { do: 'grade' }
  | { do: 'restart' }
  /** Kills the server, which restarts after some seconds. */
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
  /** On a slide, replaces the rules of a filtered stream by the scene's next rule. After the last rule, starts over. */
  | { do: 'next rule' }
  /** On a slide, stops the answer of the last client. */
  | { do: 'stop' }
  /** Stores or deletes a prediction. `way` is counted from 1. A setup that has been measured can no longer be predicted. */
  | { do: 'predict'; way: number; verdict: MeasuredVerdict | null }
  /** Measures the setups that have not been measured yet. */
  | { do: 'measure' }
  | { do: 'stop measuring' }
  /** Deletes all measurements and predictions. */
  | { do: 'forget measurements' }
  | { do: 'add slow readers' }
  | { do: 'remove slow readers' }
  /** Kills one of several processes, which restarts after some seconds. */
  | { do: 'kill process'; name: string }
  /** Stops and restarts the processes one after the other. */
  | { do: 'restart processes' }
  /** Cuts the processes off from Redis, or connects them again. */
  | { do: 'redis'; isAway: boolean }
  /** Removes the learner from the instructor's board. */
  | { do: 'stop sharing' }

/** The result of an action, as a sentence for the user. */
export type Answer = { said: string } | { problem: string }
