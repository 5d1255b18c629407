import { openPage, type Page, type PageOptions } from './page.ts'
import { createElement, Fragment } from 'react'
import type { Quake } from '#feed'
import type { Tools } from '../check.ts'
import { deepEqual } from '../equality.ts'
import type { Story } from '../failure.ts'
import { describeQuake } from '../quakes.ts'
import { scriptedServer, type ScriptedServer } from '../scripted-server.ts'
import type { LateStory } from '../waiting.ts'
import { waitForConnections } from './connections.ts'
import { newWatcher, type Props, type View, type Watcher } from './watcher.ts'

/** A page with components that call useQuakes(). */
export type Mounted = {
  page: Page
  /** The server whose stream the first component follows. */
  server: ScriptedServer
  /** The watcher of the first component. */
  watcher: Watcher
  watchers: readonly Watcher[]
  /** Renders the first component with new props, or removes it. */
  draw(props?: Partial<Props>): void
  /** Renders a component for each entry. An undefined entry renders nothing, but the components after it keep their places. */
  drawAll(props: (Props | undefined)[]): void
  /** Waits until the server has received every connection that the page has opened. There should be only one. */
  connects(at?: ScriptedServer): Promise<void>
  /**
   * Sends a quake, by default from the first server, and waits until a component, by default the first, lists the
   * quake.
   */
  lists(quake: Quake, how?: Listing): Promise<void>
  /** Waits until the first component shows the given status. */
  showsStatus(status: View['status'], story: LateStory): Promise<void>
  /** Waits until the first component shows the given numbers of listed, received and skipped events. */
  showsCounts(wanted: Counts, story: (told: string) => Story): Promise<void>
}

type Listing = { from?: ScriptedServer; to?: Watcher; story?: LateStory }
type Counts = [listed: number, received: number, skipped: number]

type Options = PageOptions & {
  /** The servers. The first component follows the first one. */
  servers?: ScriptedServer[]
  onQuake?: (quake: Quake) => void
}

/** Renders a component that follows a server, until the script ends. */
export async function mount(
  t: Tools,
  { servers, onQuake, ...how }: Options = {},
): Promise<Mounted> {
  const all = servers ?? [await scriptedServer(t)]
  const server = all[0]!
  const urls = all.map(({ url }) => url)
  const page = await openPage(t, urls, how)
  const watcher = newWatcher()
  const watchers = [watcher]
  let props: Props = { url: server.url, ...(onQuake && { onQuake }) }

  function drawAll(each: (Props | undefined)[]): void {
    const elements = each.map((its, n) => {
      const { Component } = (watchers[n] ??= newWatcher())
      return its && createElement(Component, { key: n, ...its })
    })
    page.draw(createElement(Fragment, null, elements))
  }

  drawAll([props])
  t.transcript.step(`a component mounts${how.strict ? ' under StrictMode' : ''}`)
  return {
    page,
    server,
    watcher,
    watchers,
    drawAll,
    draw(next) {
      if (!next) {
        t.transcript.step('the component unmounts')
        return drawAll([])
      }
      props = { ...props, ...next }
      t.transcript.step(`the component gets another ${Object.keys(next).join()}`)
      drawAll([props])
    },
    connects: (at = server) => waitForConnections(page, at),
    async lists(quake, { from = server, to = watcher, story = notListed(quake) } = {}) {
      from.send(eventOf(quake))
      await page.waitFor(() => to.has(quake), story)
      page.forgiveThrown()
      t.transcript.step(`the list has ${describeQuake(quake)}`)
    },
    async showsStatus(status, story) {
      await page.waitFor(() => watcher.view.status === status, story)
      page.forgiveThrown()
      t.transcript.step(`status is "${status}"`)
    },
    async showsCounts(wanted, story) {
      const now = (): number[] => {
        const { quakes, received, skipped } = watcher.view
        return [quakes.length, received, skipped]
      }
      await page.waitFor(
        () => deepEqual(now(), wanted),
        () => {
          const [listed, received, skipped] = now()
          return story(`${listed} in the list, ${received} received and ${skipped} skipped`)
        },
      )
    },
  }
}

export function eventOf(quake: Quake): string {
  return `data: ${JSON.stringify(quake)}\n\n`
}

export function notListed(quake: Quake): Story {
  return {
    seen: `${describeQuake(quake)} arrived, but it is not in the list.`,
    expected: 'Expected the quake to be in the list before the next one arrives.',
  }
}
