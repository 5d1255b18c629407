import { createRequire } from 'node:module'

// The package for Redis creates a class with hundreds of commands for every client whose options differ from those of the
// client before it, as a URL does that leads to another tap. A class takes 25 ms, which was most of the CPU time of these
// checks, but the only options on which a class depends are these. Import this file to create each class only once.

type Options = { RESP?: unknown; modules?: object; functions?: object; scripts?: object }
type ClassPlan = { BaseClass: unknown; commands: unknown; config?: Options }
type Commander = { attachConfig(plan: ClassPlan): unknown }

const packageOf = createRequire(createRequire(import.meta.url).resolve('redis'))
const commander = packageOf('@redis/client/dist/lib/commander.js') as Commander
const { attachConfig } = commander
const known: { parts: unknown[]; made: unknown }[] = []

commander.attachConfig = (plan) => {
  const parts = partsOf(plan)
  const found = known.find((each) => areSame(each.parts, parts))
  if (found) return found.made
  const made = attachConfig(plan)
  known.push({ parts, made })
  return made
}

/** Returns everything that decides what a class is like. */
function partsOf({ BaseClass, commands, config = {} }: ClassPlan): unknown[] {
  const { RESP, modules, functions, scripts } = config
  const added = [modules, functions, scripts].flatMap((each) => [
    '|',
    ...Object.entries(each ?? {}).flat(),
  ])
  return [BaseClass, commands, RESP, ...added]
}

function areSame(some: unknown[], others: unknown[]): boolean {
  return some.length === others.length && some.every((part, n) => part === others[n])
}
