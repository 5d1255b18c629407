/** What a lesson knows of the outside world: the shape of an earthquake, and where they come from. */
export type { Feed, Quake } from './quake.ts'
export { recordedQuakes, replay, type Replay } from './replay.ts'
