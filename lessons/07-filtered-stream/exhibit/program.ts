import { measureAll } from './measure.ts'

// Change what a client watches, twenty times in each of four ways, while earthquakes happen.
console.table(await measureAll())
