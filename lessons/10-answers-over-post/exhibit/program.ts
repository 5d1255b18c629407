import { measureAll } from './measure.ts'
import { VERSIONS } from './readers.ts'

// Read the same answer, which ends in nine ways, with two official SDKs in three ways.
console.log(VERSIONS)
console.table(await measureAll())
