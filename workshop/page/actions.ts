import { VERDICTS, type MeasuredVerdict } from '../../protocol/experiment.ts'
import type { Action } from '../../protocol/page.ts'

/**
 * Returns the action in a request's body, or undefined if the body is not a valid Action or has unknown fields.
 *
 * @param files the only files that may be opened, so that a request cannot open an arbitrary path
 */
export function actionIn(body: unknown, files: readonly string[]): Action | undefined {
  if (!isAction(body)) return undefined
  return body.do === 'open' && !files.includes(body.file) ? undefined : body
}

function isAction(body: unknown): body is Action {
  if (typeof body !== 'object' || body === null) return false
  const { do: name, ...fields }: Record<string, unknown> = { ...body }
  if (typeof name !== 'string' || !Object.hasOwn(FIELDS, name)) return false
  const rules = Object.entries<Rule>(FIELDS[name as Action['do']])
  const areRight = rules.every(([field, isRight]) => isRight(fields[field]))
  return areRight && Object.keys(fields).length === rules.length
}

type Rule = (value: unknown) => boolean

const wholeNumber: Rule = (value) =>
  typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= 1_000_000_000
const wholeNumberOrNull: Rule = (value) => value === null || wholeNumber(value)
const text: Rule = (value) => typeof value === 'string'
const verdictOrNull: Rule = (value) => value === null || VERDICTS.includes(value as MeasuredVerdict)
const yesOrNo: Rule = (value) => typeof value === 'boolean'

/** The rules for the fields of each action. */
const FIELDS: {
  [Name in Action['do']]: Record<Exclude<keyof Extract<Action, { do: Name }>, 'do'>, Rule>
} = {
  grade: {},
  restart: {},
  kill: {},
  open: { file: text, line: wholeNumber },
  reset: {},
  lesson: { number: wholeNumber },
  connect: {},
  leave: { id: wholeNumber },
  cut: {},
  'cut after': { bytes: wholeNumberOrNull },
  stall: { on: yesOrNo },
  slow: { bytesPerSecond: wholeNumberOrNull },
  proxy: { holds: (value) => value === null || value === '4 KiB' || value === 'all' },
  burst: {},
  clear: {},
  run: { scene: text },
  'next rule': {},
  stop: {},
  predict: { way: wholeNumber, verdict: verdictOrNull },
  measure: {},
  'stop measuring': {},
  'forget measurements': {},
  'add slow readers': {},
  'remove slow readers': {},
  'kill process': { name: text },
  'restart processes': {},
  redis: { isAway: yesOrNo },
  'stop sharing': {},
}
