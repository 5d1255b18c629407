import type { Request, RequestHandler, Response } from 'express'
import helmet from 'helmet'

/**
 * For a server on this machine: any page of the web can send requests to 127.0.0.1, and a name that
 * somebody else owns can lead there. So only our own page gets answers, and it runs only our own files.
 *
 * @param component the one that the page shows in a frame, of an origin of its own
 */
export function safety(component: () => { url: string } | undefined): RequestHandler[] {
  return [
    helmet({
      contentSecurityPolicy: {
        useDefaults: false,
        directives: {
          defaultSrc: ["'self'"],
          frameSrc: [() => originOf(component()) ?? "'none'"],
          baseUri: ["'none'"],
          formAction: ["'none'"],
          frameAncestors: ["'none'"],
          objectSrc: ["'none'"],
        },
      },
      // The page has no certificate, and a browser would remember that for every port of this machine.
      strictTransportSecurity: false,
      // With no-referrer a browser may call our own page's origin "null".
      referrerPolicy: { policy: 'same-origin' },
    }),
    (_req, res, next) => {
      res.set('Cache-Control', 'no-store')
      next()
    },
    onlyUnderOurName,
    onlyFromOurPage,
  ]
}

/** Says why not, to a person. */
export function refuse(res: Response, status: number, sentence: string): void {
  res.status(status).type('text/plain').send(`${sentence}\n`)
}

/** Against DNS rebinding: a foreign name may lead here, but then the browser says that name. */
export function onlyUnderOurName(...[req, res, next]: Parameters<RequestHandler>): void {
  const hosts = req.headersDistinct.host ?? []
  // A whole URL as the request's target would count for more than Host. Only proxies are asked like that.
  const isOurs = hosts.length === 1 && names(req).includes(hosts[0]!) && req.url.startsWith('/')
  if (isOurs) next()
  else refuse(res, 421, `This page is at http://${names(req)[0]} and answers to no other name.`)
}

/** Against other pages: a browser tells where a request comes from. */
function onlyFromOurPage(...[req, res, next]: Parameters<RequestHandler>): void {
  const { origin, 'sec-fetch-site': site } = req.headers
  const isOurs =
    (origin === undefined || origin === `http://${req.headers.host}`) &&
    (site === undefined || site === 'same-origin' || site === 'none')
  if (isOurs) next()
  else {
    refuse(
      res,
      403,
      `Another page asked for this. Type http://${names(req)[0]} into the address bar yourself.`,
    )
  }
}

function originOf(component: { url: string } | undefined): string | undefined {
  return component && new URL(component.url).origin
}

function names({ socket }: Request): string[] {
  return [`127.0.0.1:${socket.localPort}`, `localhost:${socket.localPort}`]
}
