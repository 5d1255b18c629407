import process from 'node:process'

/** A command takes the arguments after its name and gives the exit code. */
type Command = (args: string[]) => Promise<number>

// Each is loaded when it is called: nobody waits for what another command needs.
const commands: Record<string, () => Promise<Command>> = {
  lesson: async () => (await import('./commands/lesson.ts')).lesson,
  test: async () => (await import('./commands/test.ts')).test,
  hint: async () => (await import('./commands/hint.ts')).hint,
  solution: async () => (await import('./commands/solution.ts')).solution,
  reset: async () => (await import('./commands/reset.ts')).reset,
  wire: async () => (await import('./commands/wire.ts')).wire,
  slides: async () => (await import('./commands/slides.ts')).slides,
  setup: async () => (await import('./commands/setup.ts')).setup,
  grade: async () => (await import('./commands/grade.ts')).grade,
  'grade-one': async () => (await import('./commands/grade-one.ts')).gradeOne,
  stubs: async () => (await import('./commands/stubs.ts')).stubs,
  mistake: async () => (await import('./commands/mistake.ts')).mistake,
}

/** What contributors type, and what nobody does, is left out of the list. */
const forPeople = [
  'lesson',
  'test',
  'hint',
  'solution',
  'reset',
  'wire',
  'slides',
  'grade',
  'setup',
]

// Whoever read our output may have had enough of it: `npm run lesson 1 | head`.
process.stdout.on('error', () => process.exit())
process.exitCode = await run(process.argv.slice(2))

async function run([name = '', ...args]: string[]): Promise<number> {
  const load = Object.hasOwn(commands, name) ? commands[name] : undefined
  if (!load) {
    const said = name === '' ? 'Say what to do.' : `There is no command "${name}".`
    console.error(`${said} There are: ${forPeople.map((known) => `npm run ${known}`).join(', ')}.`)
    return 2
  }
  try {
    const command = await load()
    return await command(args)
  } catch (error) {
    console.error(
      `npm run ${name} ended with an error of its own; your files are as they were. ` +
        'Try again; if it happens again, please report it with these lines:\n',
    )
    console.error(error)
    return 2
  }
}
