import { join, sep } from 'node:path'
import express, { type RequestHandler } from 'express'
import { built, type Bundle } from './build.ts'

/** Serves the files of a bundle. The first who asks has it built, should that be necessary. */
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
      // The next one who asks may have better luck.
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
      // The names of assets change with what is in them.
      if (!path.startsWith(join(folder, 'assets') + sep)) return
      res.set('Cache-Control', 'public, max-age=31536000, immutable')
    },
  })
}
