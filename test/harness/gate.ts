import type { RequestHandler } from 'express'

/** Middleware that delays requests while it is closed, as a database query would. */
export type Gate = {
  handler: RequestHandler
  /** The number of requests that are waiting. */
  readonly waiting: number
  shut(): void
  /** Passes on the waiting requests and, from now on, every request. */
  open(): void
}

export function gate(): Gate {
  let isShut = false
  const waiting: (() => void)[] = []
  return {
    get waiting() {
      return waiting.length
    },
    handler(_request, _response, next) {
      if (isShut) waiting.push(next)
      else next()
    },
    shut() {
      isShut = true
    },
    open() {
      isShut = false
      for (const pass of waiting.splice(0)) pass()
    },
  }
}
