import type { Feed, Quake } from '#feed'
import type { QuakeSource, ServerOptions } from '../../solutions/07-filtered-stream/server.ts'

/** The options of the server. The keep-alives are frequent, because a learner wants to see them, and a timeout, soon. */
export const FILTERED_STREAM = {
  tokens: ['tremor'],
  keepAliveMs: 5000,
  // One for the client.ts, and one for the learner.
  maxConnections: 2,
} satisfies ServerOptions

/** The header that every request needs. */
export const AUTHORIZATION = { Authorization: `Bearer ${FILTERED_STREAM.tokens[0]}` }

/** Returns a source that pushes the quakes of a feed from now on, without those that the feed yields for the past. */
export function pushedFrom(feed: Feed): QuakeSource {
  return {
    subscribe(onQuake) {
      const left = new AbortController()
      void push(feed.open(left.signal), onQuake)
      return () => left.abort()
    },
  }
}

async function push(quakes: AsyncIterable<Quake>, onQuake: (quake: Quake) => void): Promise<void> {
  let isLive = false
  // The feed yields all past quakes without waiting.
  setImmediate(() => (isLive = true))
  for await (const quake of quakes) if (isLive) onQuake(quake)
}

/**
 * Adds a rule if there are none, because a server that has just started has no rules, and a stream without rules is
 * empty.
 */
export async function addFirstRule(stream: string): Promise<void> {
  const listed = await fetch(rulesOf(stream), { headers: AUTHORIZATION })
  const { data } = (await listed.json()) as { data?: unknown[] }
  if (data?.length !== 0) return
  await changeRules(stream, { add: [{ value: 'magnitude >= 4', tag: 'strong' }] })
}

/** Returns a function that adds a rule and deletes the previous rule that it added, in one change. */
export function ruleReplacer(stream: string): (value: string) => Promise<void> {
  let ids: string[] = []
  return async (value) => {
    ids = await changeRules(stream, { add: [{ value }], delete: { ids } })
  }
}

/**
 * Changes the rules, and returns the IDs of the added rules. Uses a connection of its own, because an idle connection would
 * be confusing on the wire, and would be cut together with the stream.
 */
async function changeRules(stream: string, change: object): Promise<string[]> {
  const changed = await fetch(rulesOf(stream), {
    method: 'POST',
    headers: { ...AUTHORIZATION, 'Content-Type': 'application/json', Connection: 'close' },
    body: JSON.stringify(change),
  })
  const { meta } = (await changed.json()) as { meta?: { added: string[] } }
  return meta?.added ?? []
}

function rulesOf(stream: string): string {
  return `${stream}/rules`
}
