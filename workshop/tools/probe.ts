import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import type { ExternalTool } from './external-tool.ts'

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
