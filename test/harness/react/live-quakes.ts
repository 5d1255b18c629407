import { openPage, type Page } from './page.ts'
import { createElement } from 'react'
import type { Quake } from '#feed'
import { LiveQuakes } from '#work/03-react/LiveQuakes.tsx'
import type { Tools } from '../check.ts'
import { deepEqual } from '../equality.ts'
import { describeQuake, quakes } from '../quakes.ts'
import type { ScriptedServer } from '../scripted-server.ts'
import { waitForConnections } from './connections.ts'
import { eventOf } from './mount.ts'

/** A page with <LiveQuakes>, as its user sees it. */
export type ShownQuakes = {
  page: Page
  /** Waits until the server has received the page's connection. */
  connects(): Promise<void>
  items(): HTMLElement[]
  itemOf(quake: Quake): HTMLElement | undefined
  /** Shows the stream of the given server from now on. */
  drawAt(server: ScriptedServer): void
  /** Sends a quake, by default from the first server, and waits for the quake's list item. */
  lists(quake: Quake, from?: ScriptedServer): Promise<HTMLElement>
  /** Returns whether an element with role="status" contains the given status, and neither of the other two. */
  says(word: string): boolean
  /** Returns the text of the elements with role="status". */
  status(): string
}

/**
 * Shows <LiveQuakes> until the script ends.
 *
 * @param others the servers that the component will follow later
 */
export async function showLiveQuakes(
  t: Tools,
  server: ScriptedServer,
  others: ScriptedServer[] = [],
): Promise<ShownQuakes> {
  const page = await openPage(
    t,
    [server, ...others].map(({ url }) => url),
  )
  const drawAt = ({ url }: ScriptedServer): void => page.draw(createElement(LiveQuakes, { url }))
  drawAt(server)
  t.transcript.step('<LiveQuakes> mounts')
  const { body } = page
  const items = (): HTMLElement[] => [...body.querySelectorAll('li')]
  const itemOf = (quake: Quake): HTMLElement | undefined =>
    items().find((item) => identifies(textOf(item), quake))
  const statuses = (): string[] => [...body.querySelectorAll(STATUS)].map(textOf)
  return {
    page,
    connects: () => waitForConnections(page, server),
    items,
    itemOf,
    drawAt,
    async lists(quake, from = server) {
      from.send(eventOf(quake))
      await page.waitFor(() => itemOf(quake) !== undefined, {
        seen: () => `${describeQuake(quake)} arrived, but ${whatIsListed(items(), quake)}.`,
        expected: `Expected a list item with the place of the quake and its exact magnitude, ${quake.magnitude}.`,
      })
      page.forgiveThrown()
      t.transcript.step(`the page lists ${describeQuake(quake)}`)
      return itemOf(quake)!
    },
    says: (word) =>
      statuses().some((text) => {
        const words = text.toLowerCase().match(/\b(connecting|open|closed)\b/g)
        return deepEqual([...new Set(words)], [word])
      }),
    status: () => statuses().join(' '),
  }
}

/** Matches elements with the implicit or explicit role "status". */
export const STATUS = '[role=status], output:not([role])'

function whatIsListed(items: HTMLElement[], { place }: Quake): string {
  const text = items.map(textOf).find((each) => each.includes(place.replace(/\s+/g, ' ').trim()))
  return text === undefined ? 'no <li> contains its place' : `its <li> says "${text}"`
}

/** Returns the visible text of an element. Spaces separate child elements, as a layout would. */
export function textOf(element: Element): string {
  return textPieces(element).join('').replace(/\s+/g, ' ').trim()
}

function textPieces({ childNodes }: Node): string[] {
  return [...childNodes].flatMap((child) =>
    child.nodeType === child.TEXT_NODE ? (child.nodeValue ?? '') : [' ', ...textPieces(child), ' '],
  )
}

/** Returns whether a text contains a quake's place and its exact magnitude, for example 6 and not 6.0. */
export function identifies(text: string, { magnitude, place }: Quake): boolean {
  const where = place.replace(/\s+/g, ' ').trim()
  const numbers = text.replace(where, ' ').match(/-?\d+(\.\d+)?/g) ?? []
  // A hyphen before a number is not always a minus sign.
  const isIt = (number: string): boolean => [`${magnitude}`, `-${magnitude}`].includes(number)
  return text.includes(where) && numbers.some(isIt)
}

/** Returns quakes whose list items cannot be confused, because no quake's place is part of another's. */
export function quakesApart(count: number): [Quake, Quake, ...Quake[]] {
  const apart: Quake[] = []
  for (const quake of quakes(10 * count)) {
    const isApart = apart.every(
      ({ place }) => !place.includes(quake.place) && !quake.place.includes(place),
    )
    if (isApart) apart.push(quake)
  }
  return apart.slice(0, count) as [Quake, Quake, ...Quake[]]
}
