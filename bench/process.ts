// The program of the process that runs one benchmark, so that no benchmark inherits the memory and compiled code of another.
import process from 'node:process'
import { exitWithParent } from '../workshop/process/exit-with-parent.ts'
import { runBenchmark, type Benchmark } from './benchmarks.ts'

exitWithParent()
// Express and React read this when they are loaded.
process.env['NODE_ENV'] = 'production'
process.on('message', (name: Benchmark) => {
  void runBenchmark(name, 'full').then((section) => process.send!(section, () => process.exit()))
})
