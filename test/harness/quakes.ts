import * as fc from 'fast-check'
import { recordedQuakes, type Quake } from '#feed'

/** What this run's inputs are made from; printed with the verdict, so that a run can be repeated. */
export const seed = Number(process.env.SEED ?? 1)

/** `count` earthquakes nobody has seen before: real ones, with ids and some places of this run. */
export function quakes<Count extends number>(count: Count): Quakes<Count> {
  return fc
    .sample(quake, { seed, numRuns: count })
    .map((made, n) => ({ ...made, id: `${made.id}${n}` })) as Quakes<Count>
}

/** As many as the literal says, so that each can be had by its place. */
type Quakes<Count extends number, Made extends Quake[] = []> = number extends Count
  ? Quake[]
  : Made['length'] extends Count
    ? Made
    : Quakes<Count, [...Made, Quake]>

/** More than a response takes at once, in bytes: write() returns false for each. */
export const LARGE = 256 * 1024

/** `count` earthquakes of `bytes` bytes each and more, to fill the buffers between server and client. */
export function largeQuakes(count: number, bytes = LARGE): Quake[] {
  return quakes(count).map((thin) => ({ ...thin, place: `${thin.place} ${'~'.repeat(bytes)}` }))
}

/** How messages name an earthquake: `"M 6.4 · Hualian, Taiwan"`. */
export function describeQuake({ magnitude, place }: Quake): string {
  const where = place.replace(/^.* of /, '')
  return `"M ${magnitude} · ${where.length > 24 ? `${where.slice(0, 23)}…` : where}"`
}

const recorded = recordedQuakes()
const places = [
  'Reykjanestá, Ísland',
  '東京湾',
  'Ollagüe, "Chile"',
  '🌋 Etna: south\\east',
  'Vrancea, România',
]

const quake = fc
  .record({
    real: fc.constantFrom(...recorded),
    network: fc.constantFrom('us', 'ci', 'ak', 'nn'),
    number: fc.integer({ min: 0x10000, max: 0xfffff }),
    place: fc.option(fc.constantFrom(...places)),
  })
  .map(({ real, network, number, place }) => ({
    ...real,
    id: `${network}${number.toString(16)}`,
    place: place ?? real.place,
  }))
