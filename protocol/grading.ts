// What the grader and the process in which it grades say to each other. A sign of life is a line of standard error.

/** Begins every sign of life. */
export const SIGN = '\u0001'

/** What a check reports, whether it passed or not. */
export type Report = {
  steps: readonly string[]
  /** What could not be graded, and why, though it passed. */
  note?: string
  /** Absent when it passed. */
  story?: Story
  /** What the work says when it is not written yet: `lesson 1, task 1.1: write createApp()`. */
  notWritten?: string
}

/** Why a check failed, in the learner's world: no matcher words, no harness words. */
export type Story = {
  /** What happened: `The feed released "M 6.4 …" and nothing reached the client.` */
  seen: string
  /** What should have: `Expected the client to read it while the feed was waiting.` */
  expected: string
  /** One likely cause, since a check sees symptoms: `the handler collects the quakes …`. */
  often?: string
  /** The cause, where it is known for certain. */
  cause?: string
}

/** The real nginx, as the grader has started it. Both ask the server whose port the header `Server-Port` has. */
export type NginxPorts = {
  /** One that holds back all it can. */
  holding: number
  /** One with the nginx.conf of the work. */
  ofWork?: number
  /** Or why there is none, in a sentence. */
  problem?: string
  /** What nginx.conf has in force for `/events`. Absent when that cannot be told. */
  settings?: NginxSettings
}

/** Values of directives. One that is absent has its default. */
export type NginxSettings = {
  /** Of `proxy_read_timeout`: `60s`. */
  readTimeout?: string
  /** Of `proxy_buffering`: `off`. */
  buffering?: string
}
