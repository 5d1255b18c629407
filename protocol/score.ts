import type { CheckResult } from './verdict.ts'

// Counts the checks that have passed, for the terminal, the page and the class table. Nothing here needs Node.

/** The numbers of core checks and of edge cases, counted separately. */
export type Score = { core: Count; edgeCases: Count }

type Count = { passed: number; total: number }

/** The parts of a check that a score depends on. */
export type Scored = Pick<CheckResult, 'isEdgeCase'> & { state: string }

export function scoreOf(checks: readonly Scored[]): Score {
  return {
    core: count(checks.filter(({ isEdgeCase }) => !isEdgeCase)),
    edgeCases: count(checks.filter(({ isEdgeCase }) => isEdgeCase)),
  }
}

/** Formats a score: `34/34 core · 11/27 edge cases`. Leaves out a kind of check that the lesson does not have. */
export function scoreInWords({ core, edgeCases }: Score): string {
  const halves = [
    ...(core.total > 0 ? [`${fraction(core)} core`] : []),
    ...(edgeCases.total > 0
      ? [`${fraction(edgeCases)} ${edgeCases.total === 1 ? 'edge case' : 'edge cases'}`]
      : []),
  ]
  return halves.join(' · ')
}

/**
 * Returns the checks that decide whether the lesson is passed: the core checks or, if only edge cases were requested,
 * the edge cases.
 */
export function decisive<Check extends Pick<CheckResult, 'isEdgeCase'>>(
  checks: readonly Check[],
): readonly Check[] {
  const core = checks.filter(({ isEdgeCase }) => !isEdgeCase)
  return core.length > 0 ? core : checks
}

function count(checks: readonly Scored[]): Count {
  return { passed: checks.filter(({ state }) => state === 'passed').length, total: checks.length }
}

function fraction({ passed, total }: Count): string {
  return `${passed}/${total}`
}
