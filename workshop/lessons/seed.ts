import type { Problem } from './args.ts'

/** Returns the seed that the variable SEED names, or undefined if there is no such variable. */
export function seedAskedFor(
  { SEED = '' }: NodeJS.ProcessEnv = process.env,
): number | undefined | Problem {
  if (SEED === '') return undefined
  if (/^\d{1,9}$/.test(SEED)) return Number(SEED)
  return { problem: `SEED must be a whole number with at most 9 digits, got "${SEED}".` }
}
