import { createHook } from 'node:async_hooks'
import { subscribe } from 'node:diagnostics_channel'
import { ServerResponse } from 'node:http'
import { dirname } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Leaks } from '../../protocol/runtime.ts'

/**
 * Counts the leaks of the program in `file`: the intervals that it has not cleared, the clients that it serves, and its
 * writes to clients that have disconnected. Calls `changed` when any of these numbers changes.
 */
export function countLeaks({ file, changed }: { file: string; changed(leaks: Leaks): void }): void {
  const intervals = new Set<number>()
  const clients = new Set<ServerResponse>()
  let lostWrites = 0
  let told = '{"intervals":0,"clients":0,"lostWrites":0}'

  createHook({
    init(id, type, _trigger, resource) {
      // Only this internal field distinguishes a repeating timer.
      const repeats = '_repeat' in resource && resource['_repeat'] !== null
      if (type === 'Timeout' && repeats && isMadeIn(dirname(file))) intervals.add(id)
    },
    destroy(id) {
      intervals.delete(id)
    },
  }).enable()

  subscribe('http.server.request.start', (message) => {
    const { response } = message as { response: ServerResponse }
    clients.add(response)
    response.once('close', () => clients.delete(response))
  })
  const { write } = ServerResponse.prototype
  ServerResponse.prototype.write = function (this: ServerResponse, ...args: unknown[]) {
    if (this.destroyed) lostWrites += 1
    return Reflect.apply(write, this, args)
  } as typeof write

  setInterval(() => {
    const leaks = { intervals: intervals.size, clients: clients.size, lostWrites }
    const telling = JSON.stringify(leaks)
    if (telling === told) return
    told = telling
    changed(leaks)
  }, LOOK_EVERY_MS)
}

/** Returns whether a file in `folder` is on the call stack. */
function isMadeIn(folder: string): boolean {
  const limit = Error.stackTraceLimit
  Error.stackTraceLimit = 30
  const { stack = '' } = new Error('where')
  Error.stackTraceLimit = limit
  return stack.includes(folder) || stack.includes(pathToFileURL(folder).href)
}

const LOOK_EVERY_MS = 100
