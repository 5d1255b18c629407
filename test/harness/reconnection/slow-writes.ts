import type { Response } from 'express'
import { flushTicks } from '../event-loop.ts'

/**
 * Makes every write return false, and emits "drain" when all promises have settled. Calls `look` after that, before any
 * timer or turn of the event loop.
 */
export function everyWriteWaits(response: Response, look: (begun: () => string) => void): void {
  let text = ''
  let undrained = 0
  const write = response.write.bind(response) as (...args: unknown[]) => boolean
  response.write = (...args: unknown[]): boolean => {
    text += String(args[0])
    undrained += 1
    write(...args)
    void drained()
    return false
  }
  const drained = async (): Promise<void> => {
    await flushTicks()
    undrained -= 1
    response.emit('drain')
    await flushTicks()
    look(() => text)
  }
  Object.defineProperty(response, 'writableNeedDrain', { get: () => undrained > 0 })
}
