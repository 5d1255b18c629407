import type { Transcript } from '../transcript.ts'

/** The lanes of Redis and of the check, which adds entries as a process would. */
export const REDIS = 'Redis'
export const OTHER = 'writer'

/** Says that a check has a picture, with the lanes in this order. Only those that speak are shown. */
export function drawLanes({ parties }: Transcript): void {
  parties('the client', ...numbered('client', [1, 2, 3]), 'proxy')
  parties(...numbered('process', ['A', 'B', 'C', 1, 2, 3, 4]), REDIS, OTHER)
}

function numbered(what: string, numbers: (string | number)[]): string[] {
  return numbers.map((number) => `${what} ${number}`)
}
