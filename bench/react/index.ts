import { BurstSource } from './page.ts'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { createElement, type ReactNode } from 'react'
import { createRoot } from 'react-dom/client'
import { LiveQuakes } from '../../solutions/03-react/LiveQuakes.tsx'
import { quakesFor } from '../body.ts'
import { contest, CONTEST_HEAD, type Side } from '../contest.ts'
import type { Section, Size } from '../section.ts'
import { NaiveQuakes } from './NaiveQuakes.tsx'

type Component = (props: { url: string }) => ReactNode

/** Measures the component of lesson 3 beside a component that sets its state for each event. */
export async function run(size: Size): Promise<Section> {
  const rows: string[][] = []
  const updates: string[] = []
  for (const count of SIZES[size]) {
    const messages = messagesFor(count)
    const side = (name: string, component: Component, goal?: number): Side => ({
      name,
      ...(goal && { goal }),
      run: async (take) => take((await burst(component, messages)).shown),
    })
    const naive = side('a state per event', NaiveQuakes, 1)
    const input = `${count} events`
    rows.push(...(await contest(input, side('LiveQuakes', LiveQuakes), [naive], size)))
    const [mine, theirs] = [await burst(LiveQuakes, messages), await burst(NaiveQuakes, messages)]
    updates.push(`${mine.updates} and ${theirs.updates} times for ${input}`)
  }
  return {
    title: 'React in a burst (lesson 3)',
    text:
      `CPU time to mount the component, to take a burst, and to show its last quakes, with React's production build and happy-dom. ` +
      `The events arrive ${PER_TURN} per turn of the event loop, as a socket would deliver them. ` +
      `Our component and the other one changed the list ${updates.join(', and ')}.`,
    head: CONTEST_HEAD,
    rows,
  }
}

const SIZES = { full: [1000, 10_000], tiny: [30] }

/** The number of events in a chunk of 4 KB. */
const PER_TURN = 14

function messagesFor(count: number): string[] {
  const quakes = quakesFor('full')
  return Array.from({ length: count }, (_, n) => {
    const quake = quakes[n % quakes.length]!
    return JSON.stringify({ ...quake, id: `${quake.id}-${n}` })
  })
}

/** Returns the text of the page after the burst, and how often its list changed. */
async function burst(
  component: Component,
  messages: string[],
): Promise<{ shown: string; updates: number }> {
  const container = document.createElement('div')
  let failure: unknown
  const until = async (holds: () => boolean): Promise<void> => {
    for (; !holds(); await nextTurn()) if (failure) throw failure
  }
  const root = createRoot(container, { onUncaughtError: (error) => (failure = error) })
  root.render(createElement(component, { url: '/events' }))
  await until(() => container.querySelector('ol') !== null)
  // React runs effects after it has shown the component.
  await until(() => BurstSource.last?.readyState === BurstSource.CONNECTING)
  const source = BurstSource.last
  source.open()

  const newest = (): string | null | undefined => container.querySelector('li')?.textContent
  let updates = 0
  let before: string | null | undefined
  const look = (): void => {
    const now = newest()
    if (now !== before) updates += 1
    before = now
  }
  for (const [n, data] of messages.entries()) {
    source.dispatchEvent(new MessageEvent('message', { data }))
    // As in a browser, promise callbacks run between two events.
    await undefined
    if (n % PER_TURN < PER_TURN - 1) continue
    await nextTurn()
    look()
  }
  const { place } = JSON.parse(messages.at(-1)!) as { place: string }
  await until(() => newest()?.includes(place) === true)
  look()
  const shown = container.textContent
  root.unmount()
  await until(() => source.readyState === BurstSource.CLOSED)
  return { shown, updates }
}
