import { randomInt } from 'node:crypto'
import { readStore, writeStore } from '../store.ts'

/**
 * Returns the join code of today. It survives a restart of the deck, so that followers return by themselves, but nobody can
 * follow tomorrow's deck with it.
 */
export function codeOfToday(): string {
  const kept = codeOfDay(readStore<DayCode>(STORE), new Date())
  writeStore(STORE, kept)
  return kept.code
}

/** Returns the kept code if it is from the same day, or a new one. */
export function codeOfDay({ day, code }: Partial<DayCode>, now: Date): DayCode {
  const today = now.toDateString()
  const isKept = day === today && typeof code === 'string' && CODE.test(code)
  return { day: today, code: isKept ? code : newCode() }
}

type DayCode = { day: string; code: string }

/** Returns a new join code of six letters, without letters that look like other characters. */
export function newCode(): string {
  return Array.from({ length: 6 }, () => LETTERS[randomInt(LETTERS.length)]).join('')
}

const LETTERS = 'ABCDEFGHJKMNPRSTUVWXYZ'
const CODE = new RegExp(`^[${LETTERS}]{6}$`)
const STORE = 'join-code.json'
