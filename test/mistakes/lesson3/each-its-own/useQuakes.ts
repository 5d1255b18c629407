import { useEffect, useRef, useState } from 'react'
import type { Quake } from '#feed'

export type QuakesView = {
  status: 'connecting' | 'open' | 'closed'
  quakes: readonly Quake[]
  received: number
  skipped: number
}
export const LIMIT = 100
const NOTHING_YET: QuakesView = { status: 'connecting', quakes: [], received: 0, skipped: 0 }

export function useQuakes(
  url: string,
  onQuake?: (quake: Quake) => void,
): QuakesView & { retry(): void } {
  const [view, setView] = useState(NOTHING_YET)
  const [attempt, setAttempt] = useState(0)
  const latest = useRef(onQuake)
  useEffect(() => {
    latest.current = onQuake
  })

  useEffect(() => setView(NOTHING_YET), [url])

  useEffect(() => {
    let arrived: Quake[] = []
    let skipped = 0
    let timer: ReturnType<typeof setTimeout> | undefined
    const source = new EventSource(url)

    const showStatus = (): void => {
      const status = STATUS[source.readyState]!
      setView((before) => ({ ...before, status }))
    }
    const flush = (): void => {
      const batch = arrived
      const more = skipped
      arrived = []
      skipped = 0
      timer = undefined
      setView((before) => ({
        ...before,
        quakes: merged(batch, before.quakes),
        received: before.received + batch.length,
        skipped: before.skipped + more,
      }))
    }
    const take = ({ data }: MessageEvent<string>): void => {
      const quake = quakeIn(data)
      if (quake) {
        arrived.push(quake)
        latest.current?.(quake)
      } else {
        skipped += 1
      }
      timer ??= setTimeout(flush, FRAME_MS)
    }

    source.addEventListener('open', showStatus)
    source.addEventListener('error', showStatus)
    source.addEventListener('message', take)
    source.addEventListener('quake', take)
    showStatus()
    return () => {
      source.close()
      clearTimeout(timer)
    }
  }, [url, attempt])

  const retry = (): void => {
    if (view.status === 'closed') setAttempt(attempt + 1)
  }
  return { ...view, retry }
}

const STATUS = ['connecting', 'open', 'closed'] as const
const FRAME_MS = 16

function merged(batch: readonly Quake[], quakes: readonly Quake[]): Quake[] {
  const newest = new Map<string, Quake>()
  for (const quake of [...batch.toReversed(), ...quakes]) {
    if (!newest.has(quake.id)) newest.set(quake.id, quake)
  }
  return [...newest.values()].slice(0, LIMIT)
}

function quakeIn(data: string): Quake | undefined {
  try {
    const value: Quake | null = JSON.parse(data)
    return typeof value?.id === 'string' ? value : undefined
  } catch {
    return undefined
  }
}
