import type { ErrorRequestHandler, Request, RequestHandler, Response } from 'express'
import helmet from 'helmet'

/**
 * Exceptions to the defaults. By default, no frame may show the page, only this machine can reach it, and it runs
 * only its own files.
 */
export type Exceptions = {
  /** Returns the origins that the page shows in frames. It is called for each response. */
  frames?(): string[]
  /** The origins that may show the page in a frame. */
  framedBy?: readonly string[]
  /** The scripts that may run besides the page's own files, as sources of a policy: `'sha256-…'`. */
  scripts?: readonly string[]
  /** Whether the page sets styles by script. */
  hasStyles?: boolean
  /** Whether the page has a form that it sends to its own server. */
  hasForm?: boolean
  /** Returns the host names under which the server answers, with their ports. */
  names?(req: Request): string[]
}

/**
 * Returns the middleware that protects a server on this machine. Any page on the web can send requests to 127.0.0.1, and
 * any domain name can resolve to that address. So the server answers only our own page, which runs only our own files.
 */
export function safety({
  frames = () => [],
  framedBy = [],
  scripts = [],
  hasStyles = false,
  hasForm = false,
  names = onThisMachine,
}: Exceptions = {}): RequestHandler[] {
  return [
    helmet({
      contentSecurityPolicy: {
        useDefaults: false,
        directives: {
          defaultSrc: ["'self'"],
          frameSrc: [() => frames().join(' ') || "'none'"],
          baseUri: ["'none'"],
          formAction: [hasForm ? "'self'" : "'none'"],
          frameAncestors: framedBy.length > 0 ? framedBy : ["'none'"],
          objectSrc: ["'none'"],
          ...(scripts.length > 0 && { scriptSrc: ["'self'", ...scripts] }),
          ...(hasStyles && { styleSrc: ["'self'", "'unsafe-inline'"] }),
        },
      },
      // If other origins may show the page in a frame, X-Frame-Options would contradict the policy.
      xFrameOptions: framedBy.length === 0,
      // Do not send this header, because the page has no certificate, and the browser would then demand one for every
      // port of this machine.
      strictTransportSecurity: false,
      // With no-referrer, a browser may send "null" as our own page's origin.
      referrerPolicy: { policy: 'same-origin' },
    }),
    (_req, res, next) => {
      res.set('Cache-Control', 'no-store')
      next()
    },
    onlyUnderOurName(names),
    onlyFromOurPage({ names, isFramed: framedBy.length > 0 }),
  ]
}

/** Returns the host names of a server that only this machine can reach. */
export function onThisMachine({ socket }: Request): string[] {
  return [`127.0.0.1:${socket.localPort}`, `localhost:${socket.localPort}`]
}

/** Answers with an error status and a sentence for the person who uses the browser. */
export function refuse(res: Response, status: number, sentence: string): void {
  res.status(status).type('text/plain').send(`${sentence}\n`)
}

/** Handles uncaught errors. Express recognises an error handler by its four parameters. */
export const failed: ErrorRequestHandler = (
  error: Error & { status?: number },
  _req,
  res,
  _next,
) => {
  if (res.headersSent) {
    // Cut the response off, so that the client cannot take an incomplete response for a complete one.
    res.destroy()
    return
  }
  refuse(res, error.status ?? 500, error.message)
}

/**
 * Refuses requests for other host names, as a defence against DNS rebinding. A foreign name may resolve to this machine,
 * but then `Host` contains that name.
 */
export function onlyUnderOurName(names: (req: Request) => string[]): RequestHandler {
  return (req, res, next) => {
    const ours = names(req)
    const hosts = req.headersDistinct.host ?? []
    // A request target that is a whole URL would override Host. Only requests to proxies have such a target.
    const isOurs = hosts.length === 1 && ours.includes(hosts[0]!) && req.url.startsWith('/')
    if (isOurs) next()
    else refuse(res, 421, `This page is at http://${ours[0]} and answers to no other name.`)
  }
}

/** Refuses requests from other pages. A browser's headers say which page sent the request. */
export function onlyFromOurPage({
  names,
  isFramed = false,
}: {
  names(req: Request): string[]
  isFramed?: boolean
}): RequestHandler {
  return (req, res, next) => {
    const { origin, 'sec-fetch-site': site, 'sec-fetch-dest': destination } = req.headers
    // The policy decides which pages may show ours in a frame. Such a page may load the frame, but nothing else.
    const isFrame = isFramed && req.method === 'GET' && destination === 'iframe'
    const isOurs =
      (origin === undefined || origin === `http://${req.headers.host}`) &&
      (site === undefined || site === 'same-origin' || site === 'none' || isFrame)
    if (isOurs) next()
    else {
      refuse(
        res,
        403,
        `Another page sent this request. Type http://${names(req)[0]} into the address bar yourself.`,
      )
    }
  }
}
