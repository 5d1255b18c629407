import type { RequestHandler } from 'express'

/** Something in front of the app that holds requests back while it is shut, as a look into a database does. */
export type Gate = {
  handler: RequestHandler
  /** How many requests wait. */
  readonly waiting: number
  shut(): void
  /** Lets pass who waits, and everybody who comes. */
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
