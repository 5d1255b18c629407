import process from 'node:process'
import { machineProblem } from './machine-problem.ts'

/** A command, which takes the arguments after its name and returns the exit code. */
type Command = (args: string[]) => Promise<number>

// Commands are loaded lazily, so that no command waits for the dependencies of another.
const commands: Record<string, () => Promise<Command>> = {
  lesson: async () => (await import('./commands/lesson.ts')).lesson,
  test: async () => (await import('./commands/test.ts')).test,
  hint: async () => (await import('./commands/hint.ts')).hint,
  solution: async () => (await import('./commands/solution.ts')).solution,
  reset: async () => (await import('./commands/reset.ts')).reset,
  watch: async () => (await import('./commands/watch.ts')).watch,
  wire: async () => (await import('./commands/wire.ts')).wire,
  slides: async () => (await import('./commands/slides.ts')).slides,
  setup: async () => (await import('./commands/setup.ts')).setup,
  'hand-in': async () => (await import('./commands/hand-in.ts')).handIn,
  grade: async () => (await import('./commands/grade.ts')).grade,
  'grade-one': async () => (await import('./commands/grade-one.ts')).gradeOne,
  stubs: async () => (await import('./commands/stubs.ts')).stubs,
  pictures: async () => (await import('./commands/pictures.ts')).pictures,
  mistake: async () => (await import('./commands/mistake.ts')).mistake,
  bench: async () => (await import('./commands/bench.ts')).bench,
  mutants: async () => (await import('./commands/mutants.ts')).mutants,
  combine: async () => (await import('./commands/combine.ts')).combine,
  soak: async () => (await import('./commands/soak.ts')).soak,
}

/** The commands to list in a message, without internal commands and those for contributors. */
const forPeople = [
  'lesson',
  'test',
  'hint',
  'solution',
  'reset',
  'watch',
  'wire',
  'slides',
  'hand-in',
  'grade',
  'setup',
]

// The program that reads our output may close the pipe early, for example in `npm run lesson 1 | head`.
process.stdout.on('error', () => process.exit())
process.exitCode = await run(process.argv.slice(2))

async function run([name = '', ...args]: string[]): Promise<number> {
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (!load) {
    const said = name === '' ? 'Which command?' : `There is no command "${name}".`
    const list = forPeople.map((known) => `npm run ${known}`).join(', ')
    console.error(`${said} Available commands: ${list}.`)
    return 2
  }
  try {
    const command = await load()
    return await command(args)
  } catch (error) {
    const problem = machineProblem(error)
    if (problem) {
      console.error(problem)
      return 2
    }
    console.error(
      `npm run ${name} failed with an internal error. Your files are unchanged. ` +
        'Try again. If it fails again, please report it with the output below:\n',
    )
    console.error(error)
    return 2
  }
}
