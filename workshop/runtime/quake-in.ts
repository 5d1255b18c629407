import type { Quake } from '#feed'

/** Returns the quake in the data of an event, which is the quake itself or, if there are many sources, an item with a quake. */
export function quakeIn(data: Quake | { quake: Quake }): Quake {
  return 'quake' in data ? data.quake : data
}
