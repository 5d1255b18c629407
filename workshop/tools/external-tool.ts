import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { basename } from 'node:path'
import { runChild } from '../process/run-child.ts'

/** A real program that tests or lessons need and that npm does not bring. */
export type ExternalTool = {
  /** As in a sentence: `browser`. */
  name: string
  /** What it is needed for, as in a sentence: `the tests of the page`. */
  for: string
  /** The path of its program. Nothing is started to find it. */
  find(): string | undefined
  /** What makes it print its version, and so shows that it runs. Absent where it would open a window. */
  versionArgs?: string[]
  /** What gets it without a password, one after the other. Undefined when nothing does on this machine. */
  install?(): Command[] | undefined
  /** What a person can do to get it: the line to type. */
  advice(): string
}

/** Runs in the workshop's folder. */
export type Command = { program: string; args: string[] }

/** What is there of a tool: its program, which runs, or why not. */
export type Probe = { path: string; version?: string } | { problem: string }

/** Looks for a tool, and asks it for its version: a program that lacks a library is found, and does not run. */
export function probe({ find, versionArgs }: ExternalTool): Probe {
  const path = find()
  if (!path) return { problem: 'missing' }
  if (!existsSync(path)) return { problem: `missing: ${path} is not there` }
  if (!versionArgs) return { path }
  const { status, stdout, stderr, error } = spawnSync(path, versionArgs, { encoding: 'utf8' })
  if (status === 0) return { path, version: firstLine(stdout || stderr) }
  const why = error?.message ?? (firstLine(stderr) || `it ended with ${status}`)
  return { problem: `broken: ${path} says ${why}` }
}

function firstLine(text: string): string {
  return text.trim().split('\n')[0]!
}

/**
 * Installs a tool, in sight of the reader; says what to type when that is not possible.
 *
 * @returns whether the tool is there now, and runs
 */
export async function install(tool: ExternalTool): Promise<boolean> {
  for (const { program, args } of tool.install?.() ?? []) {
    console.log(`$ ${[basename(program), ...args].join(' ')}`)
    // apt-get asks questions otherwise.
    if (!(await runChild(program, args, { DEBIAN_FRONTEND: 'noninteractive' }))) break
  }
  const seen = probe(tool)
  if ('path' in seen) {
    console.log(`${tool.name}: installed ${seen.path}`)
    return true
  }
  console.error(`\nThe ${tool.name}, for ${tool.for}, is ${seen.problem}.\n${tool.advice()}`)
  return false
}
