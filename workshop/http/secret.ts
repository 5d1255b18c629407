import { randomBytes, timingSafeEqual } from 'node:crypto'
import type { Request, RequestHandler } from 'express'
import { SECRET_HEADER, SECRET_NAME } from '../../protocol/secret.ts'
import { refuse } from './safety.ts'

/** The secret of one page. Other programs on this machine can connect to the page's server, but do not know the secret. */
export type Secret = {
  readonly value: string
  /** Adds the secret to the page's HTML, if a browser requests the page for its own use. */
  insertInto(html: string, req: Request): string
  /** Refuses requests without the secret. */
  readonly required: RequestHandler
}

export function newSecret(): Secret {
  const value = randomBytes(16).toString('hex')
  return {
    value,
    insertInto(html, req) {
      // Only browsers send this header. The server has already refused requests of other pages.
      if (req.get('Sec-Fetch-Site') === undefined) return html
      return html.replace('<title>', `<meta name="${SECRET_NAME}" content="${value}" />\n    $&`)
    },
    required(req, res, next) {
      if (isSame(req.get(SECRET_HEADER) ?? '', value)) next()
      else refuse(res, 403, 'Only the page itself may do this. Load the page again.')
    },
  }
}

function isSame(said: string, value: string): boolean {
  const [a, b] = [Buffer.from(said), Buffer.from(value)]
  return a.length === b.length && timingSafeEqual(a, b)
}
