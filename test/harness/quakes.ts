import * as fc from 'fast-check'
import { recordedQuakes, type Quake } from '#feed'
import { visible } from '../../wire/visible.ts'

/** The seed of this run's inputs. It is printed with the verdict, so that a run can be repeated. */
export const seed = Number(process.env.SEED ?? 1)

/** Returns `count` real earthquakes, with IDs and some places that are new in this run. */
export function quakes<Count extends number>(count: Count): Quakes<Count> {
  sampled ??= fc.sample(quake, { seed, numRuns: 64 })
  return Array.from({ length: count }, (_, n) => {
    const one = sampled![n % sampled!.length]!
    return { ...one, id: `${one.id}${n}` }
  }) as Quakes<Count>
}

/** The sampled quakes. They are created only once, because creating them takes longer than sending them. */
let sampled: Quake[] | undefined

/** A tuple of `Count` quakes, so that each quake can be accessed by its index. */
type Quakes<Count extends number, Made extends Quake[] = []> = number extends Count
  ? Quake[]
  : Made['length'] extends Count
    ? Made
    : Quakes<Count, [...Made, Quake]>

/** A size in bytes above the response's high-water mark, so that `write()` returns false. */
export const LARGE = 256 * 1024

/** Returns `count` earthquakes of at least `bytes` bytes each, to fill the buffers between server and client. */
export function largeQuakes(count: number, bytes = LARGE): Quake[] {
  return quakes(count).map((thin) => ({ ...thin, place: `${thin.place} ${'~'.repeat(bytes)}` }))
}

/** Returns quakes that are short enough to be cut after each byte. */
export function shortQuakes(count: number): Quake[] {
  return Array.from({ length: count }, (_, n) => short(`s${n}`))
}

/** Returns quakes that differ only in their IDs, because creating many different quakes would take a while. */
export function numberedQuakes(count: number): Quake[] {
  return Array.from({ length: count }, (_, n) => short(`m-${n}`))
}

function short(id: string): Quake {
  return { id, magnitude: 4.5, place: '' } as Quake
}

/** Returns `count` earthquakes without zeros or other values that code may mistake for missing values. */
export function ordinaryQuakes(count: number): Quake[] {
  return quakes(count).map((made) => ({
    ...made,
    ...Object.fromEntries(
      Object.entries(made)
        .filter(([, value]) => !value)
        .map(([name]) => [name, 1]),
    ),
  }))
}

/**
 * Returns earthquakes whose values tend to break code. They are part of every run, whatever the seed. The last two
 * earthquakes correct the first one, so they have the same ID but different data.
 */
export function awkwardQuakes(): Quake[] {
  const made = AWKWARD.map((values, n) => {
    const [quake] = quakes(1)
    return { ...quake, magnitude: 1.5, ...values, id: `${values.id ?? quake.id}${n}` }
  })
  const correction = { ...made[0]!, magnitude: 2.5, status: 'reviewed' }
  return [...made, ...quakes(3), correction, { ...correction, magnitude: 2.6 }]
}

const AWKWARD: Partial<Quake>[] = [
  { magnitude: 0 },
  { magnitude: -0.6 },
  { magnitude: 9.5, depthKm: 700 },
  { depthKm: 0 },
  { depthKm: -1.2 },
  { latitude: 0, longitude: 0 },
  { place: '' },
  { place: '  10 km N of Hilo ' },
  { place: 'O\'Higgins, "Chile" \\ C:\\temp' },
  { place: '<b>Tom & Jerry</b> &amp; 100 % +1' },
  { place: 'one\ntwo\r\nthree\rfour\n\nfive' },
  { place: 'data: x\nid: 666\n\n: comment' },
  { place: 'a\u2028b\u2029c\u0085d\u0000e\ufefff\tg' },
  { place: '\u{1f30b} Etna, \u{1d53c}tna, e\u0301' },
  { id: 'US/7000 é:&<%+' },
  { place: '__proto__', type: 'constructor', status: 'null' },
]

/** Returns the name of an earthquake for messages, such as `"M 6.4 · Hualian, Taiwan"`. */
export function describeQuake({ magnitude, place }: Quake): string {
  const where = visible(place.replace(/^.* of /, ''))
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
