/** A space-time picture of a check: a lane for each party, and what happened at and between the parties, in causal order. */
export type SpaceTime = {
  /** The lanes, from left to right. */
  parties: readonly string[]
  events: readonly SpaceTimeEvent[]
}

export type SpaceTimeEvent = {
  /** The party at which it happened, or which sent it. Absent if it concerns every party: `… nothing for 2 s`. */
  at?: string
  /** The party that received it. Absent if nothing was sent. */
  to?: string
  /** What happened or was sent, without the names of the parties: `GET /events`. */
  label: string
  /** Whether it was sent, but never arrived. */
  lost?: true
  /** Whether it was sent, but is held back for now. */
  held?: true
  /** Whether it is a call that no step of the check mentions. Correct code may make other calls. */
  isCall?: true
}
