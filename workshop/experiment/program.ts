// Measures, in a process of its own, what it is told to: the workshop goes on meanwhile, and takes none of its time.
import { dieWithParent } from '../demo/lifeline.ts'
import { measureAll } from './measure-all.ts'
import { rows } from './rows.ts'

dieWithParent()
// Ctrl-C reaches every process of the terminal. The workshop ends this one, also when all is measured.
process.on('SIGINT', () => {})
process.on('message', (chosen: number[]) =>
  measureAll(
    chosen.map((index) => rows[index]!),
    { measured: ({ row, ...result }) => process.send!({ index: rows.indexOf(row), result }) },
  ),
)
