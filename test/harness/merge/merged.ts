import { mergeSources, type Item, type Source } from '#work/08-many-sources/merge.ts'
import { isNotWritten } from '../../../protocol/not-written.ts'
import type { Tools } from '../check.ts'
import { describeError, must, type Story } from '../failure.ts'
import { describeQuake } from '../quakes.ts'
import { counted } from '../reconnection/wording.ts'
import { excerptJson } from '../transcript.ts'
import type { LateStory } from '../waiting.ts'

/** The learner's merge of some sources, which a check reads item by item. */
export type Merged = {
  /** The items that have been taken. */
  readonly items: readonly Item[]
  readonly signal: AbortSignal
  /** Asks for an item, and waits for it. */
  take(untold: LateStory): Promise<Item>
  /** Asks for an item without waiting for it. The item does not count as taken. */
  ask(): void
  /** Aborts the signal. */
  abort(): void
  /**
   * Waits until the pending or the next request for an item says that the merge has ended.
   *
   * @param options.mayYield the number of items that had arrived, and may still be yielded
   */
  ends(when: string, options?: { often?: string; mayYield?: number }): Promise<void>
  /** Leaves the loop, as `break` does. */
  leave(often?: string): Promise<void>
}

/** Begins to merge the sources with the learner's code. The sources are opened by the first request for an item. */
export function merged(
  t: Tools,
  sources: readonly Source[],
  controller = new AbortController(),
): Merged {
  t.transcript.step(
    `mergeSources() is called with ${sources.map(({ name }) => `"${name}"`).join(', ') || 'no sources'}`,
  )
  const items: Item[] = []
  const iterator = mergeSources(sources, controller.signal)[Symbol.asyncIterator]()
  let asked: Promise<IteratorResult<Item>> | undefined
  t.atEnd(() => controller.abort())

  function ask(): Promise<IteratorResult<Item>> {
    asked ??= iterator.next()
    // Whether it rejects shows when it is awaited.
    asked.catch(() => {})
    return asked
  }

  /** Waits for the answer to the request. If the merge throws, fails with that reason. */
  async function answer(story: LateStory): Promise<IteratorResult<Item>> {
    try {
      const result = await t.withTimeout(ask().catch(throwAsFailure), story)
      asked = undefined
      return result
    } catch (error) {
      asked = undefined
      throw error
    }
  }

  return {
    items,
    signal: controller.signal,
    ask: () => void ask(),
    async take(untold) {
      const { done, value } = await answer(untold)
      must(!done, {
        seen: `The merge ended after ${counted(items.length, 'item')}, before every item had been yielded.`,
        expected:
          'Expected the merge to continue until every source has ended or failed, and to yield every item.',
      })
      items.push(value)
      t.transcript.step(`the merge yielded ${describeItem(value)}`)
      return value
    },
    abort() {
      t.transcript.step('the signal aborts')
      controller.abort()
    },
    async ends(when, { often, mayYield = 0 } = {}) {
      for (let more = 0; ; more += 1) {
        const { done, value } = await answer({
          seen: `${when}, but the merge did not end.`,
          expected: 'Expected the loop over the merge to end.',
          ...(often && { often }),
        })
        if (done) break
        must(more < mayYield, {
          seen: `${when}. Then the merge yielded ${describeItem(value)}.`,
          expected: 'Expected the merge to end without another item.',
          ...(often && { often }),
        })
      }
      t.transcript.step('the merge ended')
    },
    async leave(often) {
      t.transcript.step('the loop over the merge is left')
      await t.withTimeout(Promise.resolve(iterator.return?.(undefined)).catch(throwAsFailure), {
        seen: 'The loop over the merge was left with "break", but return() of the merge never settled. So the code after the loop never ran.',
        expected: 'Expected return() of the merge to settle.',
        ...(often && { often }),
      })
    },
  }
}

function throwAsFailure(error: unknown): never {
  if (isNotWritten(error)) throw error
  must(false, {
    seen: `mergeSources() threw ${describeError(error)}.`,
    expected: 'Expected the merge never to throw. The error of a failed source is an item.',
  })
}

/** Describes an item, whatever it is: `"M 6.4 · Hualian, Taiwan" from "us"`. */
export function describeItem(
  item: Partial<Record<'source' | 'quake' | 'error', unknown>> | undefined,
): string {
  const { source, quake } = item ?? {}
  if (item && 'error' in item)
    return `an error of "${String(source)}" (${describeError(item.error)})`
  if (isQuake(quake)) return `${describeQuake(quake)} from "${String(source)}"`
  return excerptJson(item, 60)
}

function isQuake(quake: unknown): quake is Parameters<typeof describeQuake>[0] {
  return typeof (quake as { place?: unknown } | undefined)?.place === 'string'
}

/** The story for a request that gets no item although one could be yielded. */
export function notYielded(what: string, often?: string): Story {
  return {
    seen: `${what}, but the merge yielded nothing.`,
    expected: 'Expected the merge to yield an item at once.',
    ...(often && { often }),
  }
}
