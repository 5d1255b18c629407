import { join, sep } from 'node:path'
import express, { type RequestHandler } from 'express'
import { built, type Bundle } from './build.ts'

/** Serves the files of a bundle. The first request builds it if necessary. */
export function filesOf(bundle: Bundle): RequestHandler {
  let files: Promise<RequestHandler> | undefined
  return async (req, res, next) => {
    if (req.method !== 'GET' && req.method !== 'HEAD') {
      next()
      return
    }
    files ??= built(bundle).then(filesIn)
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

function filesIn(folder: string): RequestHandler {
  return express.static(folder, {
    redirect: false,
    cacheControl: false,
    setHeaders(res, path) {
      // An asset has a new name whenever its content changes, so browsers may cache it forever.
      if (!path.startsWith(join(folder, 'assets') + sep)) return
      res.set('Cache-Control', 'public, max-age=31536000, immutable')
    },
  })
}
