import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { basename } from 'node:path'
import { runChild } from '../process/run-child.ts'

/** A program that tests or lessons need, but that npm cannot install. */
export type ExternalTool = {
  /** The program's name, as used in a sentence: `browser`. */
  name: string
  /** The program's purpose, as used in a sentence: `the tests of the page`. */
  for: string
  /** Returns the path of the program, if found, without starting any program. */
  find(): string | undefined
  /** The arguments that make the program print its version, which shows that it runs. Absent if they would open a window. */
  versionArgs?: string[]
  /** Returns the commands, in order, that install the tool without a password. Undefined if this machine has no such commands. */
  install?(): Command[] | undefined
  /** Returns a sentence that tells the user which command installs the tool. */
  advice(): string
}

/** A command to run in the workshop's folder. */
export type Command = { program: string; args: string[] }

/** The result of looking for a tool: the path of a program that runs, or the problem. */
export type Probe = { path: string; version?: string } | { problem: string }

/** Looks for a tool and asks for its version, because a program that lacks a library can be found but does not run. */
export function probe({ find, versionArgs }: ExternalTool): Probe {
  const path = find()
  if (!path) return { problem: 'missing' }
  if (!existsSync(path)) return { problem: `missing: ${path} does not exist` }
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
 * Installs a tool, and shows the commands and their output. If the installation fails, prints the command to type.
 *
 * @returns whether the tool is now installed and runs
 */
export async function install(tool: ExternalTool): Promise<boolean> {
  for (const { program, args } of tool.install?.() ?? []) {
    console.log(`$ ${[basename(program), ...args].join(' ')}`)
    // Without this variable, apt-get would ask questions.
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
