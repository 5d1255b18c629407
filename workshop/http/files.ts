import { readFile } from 'node:fs/promises'
import { join, sep } from 'node:path'
import express, { type RequestHandler } from 'express'
import { built, type Bundle } from './build.ts'
import type { Secret } from './secret.ts'

/**
 * Serves the files of a bundle. The first request builds it if necessary.
 *
 * @param secret the secret to give to the bundle's pages
 */
export function filesOf(bundle: Bundle, secret?: Secret): RequestHandler {
  let files: Promise<RequestHandler> | undefined
  return async (req, res, next) => {
    if (req.method !== 'GET' && req.method !== 'HEAD') {
      next()
      return
    }
    files ??= built(bundle).then((folder) => filesIn(folder, secret))
    try {
      const serve = await files
      await serve(req, res, next)
    } catch (error) {
      // Let the next request try again.
      files = undefined
      throw error
    }
  }
}

function filesIn(folder: string, secret?: Secret): RequestHandler {
  const serveFile = express.static(folder, {
    redirect: false,
    cacheControl: false,
    setHeaders(res, path) {
      // An asset has a new name whenever its content changes, so browsers may cache it forever.
      if (!path.startsWith(join(folder, 'assets') + sep)) return
      res.set('Cache-Control', 'public, max-age=31536000, immutable')
    },
  })
  return async (req, res, next) => {
    const [, name] = /^\/([\w-]+\.html)?$/.exec(req.path) ?? []
    if (!secret || (name === undefined && req.path !== '/')) return serveFile(req, res, next)
    const html = await readFile(join(folder, name ?? 'index.html'), 'utf8').catch(() => undefined)
    if (html === undefined) next()
    else res.type('html').send(secret.insertInto(html, req))
  }
}
