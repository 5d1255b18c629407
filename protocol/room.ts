// The messages between a learner's workshop, the instructor's deck, and the board on which the instructor sees the room.

/**
 * The progress that a learner's workshop posts. A report contains the learner's whole state, so after a lost connection,
 * only the newest report has to be sent.
 */
export type Report = {
  /** The secret name of the learner's session, with which nobody else can replace or remove the learner. */
  id: string
  /** The number of the report, because a delayed report may arrive after a newer one. */
  n: number
  /** The nickname. */
  name: string
  lesson: number
  /** The first task with a core check that has not passed. Absent if all core checks have passed. */
  task?: string
  /** The number of core checks that have passed. */
  passed: number
  /** The milliseconds since the learner reached the task. It is not a time, because the clocks of two machines differ. */
  forMs: number
  /** The ID of the first core check that failed. */
  check?: string
  /** What happened in that check, or the reason why the work could not be graded. */
  message?: string
}

/** A learner on the board. */
export type Learner = Omit<Report, 'id' | 'n' | 'forMs'> & {
  /** The number of the learner on this board. */
  key: number
  /** The number of core checks in the lesson. */
  total: number
  /** The rule of the check that failed. */
  rule?: string
  /** The times at which the learner reached the task, and was last heard of, in milliseconds since 1970. */
  since: number
  heardAt: number
}

/** A message to the board, which is sent as the data of one server-sent event. */
export type BoardMessage =
  /** `now` is the time on the deck's clock. */
  { type: 'room'; learners: Learner[]; now: number } | { type: 'alive' }
