import type { Tools } from '../check.ts'
import { turns } from '../event-loop.ts'
import { scriptedServer, type ScriptedServer } from '../scripted-server.ts'
import { SILENT } from '../transcript.ts'
import type { LateStory } from '../waiting.ts'
import { forgetSources, sourcesOf } from './browser-event-source.ts'
import type { Page } from './page.ts'

/** Returns the number of open connections from the page to a server. */
export function openConnections({ url }: ScriptedServer): number {
  return sourcesOf(url).filter(({ readyState }) => readyState !== EventSource.CLOSED).length
}

/** Returns `1 EventSource was` or `2 EventSources were`. */
export function sourcesWere({ url }: ScriptedServer): string {
  const { length } = sourcesOf(url)
  return `${length} EventSource${length === 1 ? ' was' : 's were'}`
}

/** Returns `1 connection` or `2 connections`. */
export function describeConnections(count: number): string {
  return `${count} connection${count === 1 ? '' : 's'}`
}

/** Waits until the server has received every connection that the page has opened. There should be only one. */
export async function waitForConnections(page: Page, server: ScriptedServer): Promise<void> {
  await page.waitFor(
    () => server.requests.length >= Math.max(1, openConnections(server)),
    () =>
      sourcesOf(server.url).length === 0
        ? {
            seen: 'A component that calls useQuakes() mounted, but the server got no request.',
            expected: 'Expected a request when the component mounts.',
            often:
              'your code does not create an EventSource in an effect, or in a function that an effect calls.',
          }
        : {
            seen: `A component that calls useQuakes() mounted, but ${sourcesWere(server)} created and closed before the server got a request.`,
            expected: 'Expected a connection that stays open while the component is mounted.',
            often:
              'a flag makes your effect run only once. StrictMode runs the cleanup and then the effect again, but the flag stops the second run.',
          },
  )
}

/** Waits until neither the page nor the server has a connection open. */
export async function waitUntilClosed(
  page: Page,
  server: ScriptedServer,
  story: LateStory,
): Promise<void> {
  await page.waitFor(() => server.openResponses === 0 && openConnections(server) === 0, story)
}

/** Does something that should open a connection, and waits until the server has received the request. */
export async function asksAgain(
  page: Page,
  server: ScriptedServer,
  act: () => void,
  story: LateStory,
): Promise<void> {
  const asked = server.requests.length
  act()
  await page.waitFor(() => server.requests.length > asked, story)
}

/** Opens, loses and reopens a connection of its own. By then, everything that happens without a delay has happened. */
export async function fence(t: Tools): Promise<void> {
  const server = await scriptedServer({ ...t, transcript: SILENT })
  const source = new EventSource(server.url)
  // Wait for events, because polling for the whole time would take most of a check's CPU time.
  const next = (type: string): Promise<unknown> =>
    t.withTimeout(
      new Promise((resolve) => source.addEventListener(type, resolve, { once: true })),
      {
        seen: 'A connection that the grader opens for itself did not open.',
        expected: 'Expected the connection to open.',
      },
    )
  try {
    await next('open')
    server.send('retry: 20\ndata:\n\n')
    await next('message')
    server.cut()
    await next('open')
    // Events of other connections may follow in the same turn.
    await turns()
  } finally {
    forgetSources(server.url)
  }
}
