// Measures in a separate process, so that the workshop and the measurement do not slow each other down.
import { exitWithParent } from '../process/exit-with-parent.ts'
import { measureAll } from './measure-all.ts'
import { rows } from './rows.ts'

exitWithParent()
process.on('message', (chosen: number[]) =>
  measureAll(
    chosen.map((index) => rows[index]!),
    { measured: ({ row, ...result }) => process.send!({ index: rows.indexOf(row), result }) },
  ),
)
