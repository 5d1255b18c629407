import type { ErrorRequestHandler, Request, RequestHandler, Response } from 'express'
import helmet from 'helmet'

/** What makes a page of ours different from others: by default it is shown alone, on this machine, and runs only files. */
export type Exceptions = {
  /** The origins that it shows in frames; asked for each answer. */
  frames?(): string[]
  /** The origins that may show it in a frame. */
  framedBy?: readonly string[]
  /** What may run besides its own files, as a policy names it: `'sha256-…'`. */
  scripts?: readonly string[]
  /** Whether it has styles of its own making. */
  hasStyles?: boolean
  /** Whether it has a form that asks the page itself. */
  hasForm?: boolean
  /** The names under which it answers, with their ports. */
  names?(req: Request): string[]
}

/**
 * For a server on this machine: any page of the web can send requests to 127.0.0.1, and a name that
 * somebody else owns can lead there. So only our own page gets answers, and it runs only our own files.
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
      // Two headers that say it differently would be one too many.
      xFrameOptions: framedBy.length === 0,
      // The page has no certificate, and a browser would remember that for every port of this machine.
      strictTransportSecurity: false,
      // With no-referrer a browser may call our own page's origin "null".
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

/** The names of a server that listens on this machine alone. */
export function onThisMachine({ socket }: Request): string[] {
  return [`127.0.0.1:${socket.localPort}`, `localhost:${socket.localPort}`]
}

/** Says why not, to a person. */
export function refuse(res: Response, status: number, sentence: string): void {
  res.status(status).type('text/plain').send(`${sentence}\n`)
}

/** An error that nobody has caught, for Express, which knows it by its four parameters. */
export const failed: ErrorRequestHandler = (
  error: Error & { status?: number },
  _req,
  res,
  _next,
) => {
  if (res.headersSent) {
    // A client must not take half of it for all of it.
    res.destroy()
    return
  }
  refuse(res, error.status ?? 500, error.message)
}

/** Against DNS rebinding: a foreign name may lead here, but then the browser says that name. */
export function onlyUnderOurName(names: (req: Request) => string[]): RequestHandler {
  return (req, res, next) => {
    const ours = names(req)
    const hosts = req.headersDistinct.host ?? []
    // A whole URL as the request's target would count for more than Host. Only proxies are asked like that.
    const isOurs = hosts.length === 1 && ours.includes(hosts[0]!) && req.url.startsWith('/')
    if (isOurs) next()
    else refuse(res, 421, `This page is at http://${ours[0]} and answers to no other name.`)
  }
}

/** Against other pages: a browser tells where a request comes from. */
function onlyFromOurPage({
  names,
  isFramed,
}: {
  names(req: Request): string[]
  isFramed: boolean
}): RequestHandler {
  return (req, res, next) => {
    const { origin, 'sec-fetch-site': site, 'sec-fetch-dest': destination } = req.headers
    // Who may show it in a frame is the policy's business, and the frame itself is all they get.
    const isFrame = isFramed && req.method === 'GET' && destination === 'iframe'
    const isOurs =
      (origin === undefined || origin === `http://${req.headers.host}`) &&
      (site === undefined || site === 'same-origin' || site === 'none' || isFrame)
    if (isOurs) next()
    else {
      refuse(
        res,
        403,
        `Another page asked for this. Type http://${names(req)[0]} into the address bar yourself.`,
      )
    }
  }
}
