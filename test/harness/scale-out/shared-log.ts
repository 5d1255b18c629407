import type { Quake } from '#feed'
import type { Entry, WritableHistory } from '#work/09-scale-out/history.ts'
import { createRedisHistory, type RedisHistoryOptions } from '#work/09-scale-out/redis-history.ts'
import { describeError, Failure, must } from '../failure.ts'
import { describeQuake } from '../quakes.ts'
import { counted } from '../reconnection/wording.ts'
import type { Tools } from '../toolbox.ts'
import { isBlocking } from './hold.ts'
import { freshKey, sharedRedis, type TestRedis } from './redis.ts'
import { OTHER, REDIS } from './lanes.ts'
import { tapRedis, type RedisTap } from './redis-tap.ts'
import './redis-classes.ts'

/** A Redis Stream that belongs to one check. The check writes to it directly, as another process would. */
export type SharedLog = {
  readonly key: string
  readonly redis: TestRedis
  /** Adds an entry, with the next ID of the check if there is none. */
  add(quake: Quake, id?: string): Promise<Entry>
  /** Adds many entries, as one step of the transcript. */
  addMany(quakes: readonly Quake[]): Promise<Entry[]>
  /** Returns everything in the stream: each ID with its fields and values. */
  stored(): Promise<[id: string, fields: string[]][]>
  /** Keeps only the newest entries. */
  trimTo(length: number): Promise<void>
  /** Deletes the stream, so that the next entry begins another one. */
  delete(): Promise<void>
  /** Creates a history with the learner's code, as one process would, with a tap before Redis. */
  open(name: string, options?: Partial<RedisHistoryOptions>): Promise<OpenHistory>
}

/** The history of one process. */
export type OpenHistory = { name: string; history: WritableHistory; tap: RedisTap }

/** Begins a log with a key of its own. @param own a Redis that only this check uses */
export async function sharedLog(t: Tools, own?: TestRedis): Promise<SharedLog> {
  const redis = own ?? (await sharedRedis(t))
  const key = freshKey()
  t.atEnd(() => redis.command('DEL', key).catch(() => {}))
  let count = 0

  async function store(quake: Quake, id = `${FIRST_MS + (count += 1)}-0`): Promise<Entry> {
    const made = await redis.command('XADD', key, id, 'quake', JSON.stringify(quake))
    return { id: String(made), quake }
  }

  return {
    key,
    redis,
    async add(quake, id) {
      const entry = await store(quake, id)
      t.transcript.step(`another process adds ${describeQuake(quake)}, with the ID ${entry.id}`, {
        at: OTHER,
        to: REDIS,
        label: `adds ${entry.id}`,
      })
      return entry
    },
    async addMany(added) {
      const entries: Entry[] = []
      for (const quake of added) entries.push(await store(quake))
      const ids = `${entries[0]?.id} to ${entries.at(-1)?.id}`
      t.transcript.step(`another process adds ${entries.length} entries, with the IDs ${ids}`, {
        at: OTHER,
        to: REDIS,
        label: `adds ${ids}`,
      })
      return entries
    },
    async stored() {
      return (await redis.command('XRANGE', key, '-', '+')) as [string, string[]][]
    },
    async trimTo(length) {
      await redis.command('XTRIM', key, 'MAXLEN', '=', String(length))
      const label = `the stream is trimmed to its newest ${length} entries`
      t.transcript.step(label, { at: REDIS, label })
    },
    async delete() {
      await redis.command('DEL', key)
      t.transcript.step('the stream is deleted', { at: REDIS, label: 'the stream is deleted' })
    },
    async open(name, options = {}) {
      const tap = await tapRedis(t, redis, name)
      return openHistory(t, name, tap, { key, ...options })
    },
  }
}

/** The IDs of a check are the same in each run. They are older than those that Redis chooses. */
const FIRST_MS = 1_716_200_000_000

/** Creates a history with the learner's code that reaches Redis through this tap. */
export async function openHistory(
  t: Tools,
  name: string,
  tap: RedisTap,
  options: Partial<RedisHistoryOptions>,
): Promise<OpenHistory> {
  const shown = Object.entries(options).filter(([option]) => option !== 'key')
  const call = `createRedisHistory({ url, ${['key', ...shown.map(([option, value]) => `${option}: ${value}`)].join(', ')} })`
  t.transcript.step(`${name}: ${call}`, { at: name, label: call })
  // No wait of a check depends on these times, unless the check sets them.
  const patient = { blockMs: 60_000, stallMs: 120_000 }
  const opening = createRedisHistory({ url: tap.url, ...patient, ...options })
  t.atEnd(() => void opening.then((history) => history.close()).catch(() => {}))
  const history = await t.withTimeout(opening, () => ({
    seen: `createRedisHistory() did not resolve. It opened ${counted(tap.events.filter(({ kind }) => kind === 'opened').length, 'connection')} to Redis, ${tap.openConnections} of which are still open.`,
    expected: 'Expected createRedisHistory() to resolve while Redis answers.',
    ...(tap.unanswered().some(isBlocking) && {
      often: 'your code waits for the first blocking read, which ends only when an entry is added.',
    }),
  }))
  return { name, history, tap }
}

/** Appends a quake with the learner's code, and waits until that has been confirmed. */
export async function append(
  t: Tools,
  { name, history }: OpenHistory,
  quake: Quake,
): Promise<void> {
  const call = `append(${describeQuake(quake)})`
  t.transcript.step(`${name}: ${call}`, { at: name, label: call })
  const appended = history.append(quake).catch((error: unknown) => {
    throw new Failure({
      seen: `${call} rejected: ${describeError(error)}.`,
      expected: 'Expected append() to resolve while Redis answers.',
    })
  })
  await t.withTimeout(appended, {
    seen: `${call} did not resolve.`,
    expected: 'Expected append() to resolve as soon as Redis has stored the entry.',
    often: 'your XADD waits after an XREAD on the same connection. Use two connections.',
  })
}

/** Calls `after(id)`, and records its answer. */
export async function readAfter(
  t: Tools,
  { name, history }: OpenHistory,
  id: string | undefined,
): Promise<{ entries: Entry[]; isGap: boolean; told: string }> {
  const call = `after(${id === undefined ? 'undefined' : `"${id}"`})`
  const reading = history.after(id).catch((error: unknown) => {
    throw new Failure({
      seen: `${call} rejected: ${describeError(error)}.`,
      expected: 'Expected after() to resolve, because the server cuts the stream if it rejects.',
    })
  })
  const { entries, isGap } = await t.withTimeout(reading, {
    seen: `${call} did not resolve.`,
    expected: 'Expected after() to resolve while Redis answers.',
    often:
      id === undefined || isStreamId(id)
        ? 'your XRANGE waits after an XREAD on the same connection. Use two connections.'
        : 'your code sends this ID to Redis, which answers with an error, and then asks again. It must not reach Redis.',
  })
  must(Array.isArray(entries), {
    seen: `${call} returned no list of entries.`,
    expected: 'Expected after() to resolve to { entries, isGap }.',
  })
  const told = `${listIds(entries)}${isGap ? ' and a gap' : ''}`
  const label = `${call} returned ${told}`
  t.transcript.step(`${name}: ${label}`, { at: name, label })
  return { entries, isGap, told }
}

/** Returns the IDs of entries as a list, with only the ends of a long list. */
export function listIds(entries: readonly { id: string }[]): string {
  const ids = entries.map(({ id }) => id)
  if (ids.length === 0) return 'nothing'
  if (ids.length <= 6) return ids.join(', ')
  return `${ids.slice(0, 3).join(', ')}, … ${ids.at(-1)} (${ids.length} entries)`
}

/** Returns whether Redis accepts an ID: two numbers of 64 bits. */
function isStreamId(id: string): boolean {
  return /^\d+-\d+$/.test(id) && id.split('-').every((part) => BigInt(part) < 2n ** 64n)
}
