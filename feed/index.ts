/** Everything that a lesson imports: the type of an earthquake, and the feed that yields earthquakes. */
export type { Feed, Quake } from './quake.ts'
export { recordedQuakes, replay, type Replay } from './replay.ts'
