import type { Feed, Quake } from '#feed'
import type { Source } from '../../solutions/08-many-sources/merge.ts'

/** The sources for the learner's server, and the number of quakes that the server has taken from all of them. */
export type Sources = { readonly sources: Source[]; readonly taken: number }

/** Splits a feed into one source for each network. */
export function sourcesOf(feed: Feed, networks: Iterable<string>): Sources {
  let taken = 0

  async function* onlyFrom(network: string, signal: AbortSignal): AsyncGenerator<Quake> {
    for await (const quake of feed.open(signal)) {
      if (quake.network !== network) continue
      taken += 1
      yield quake
    }
  }

  return {
    sources: Array.from(networks, (name) => ({ name, open: (signal) => onlyFrom(name, signal) })),
    get taken() {
      return taken
    },
  }
}
