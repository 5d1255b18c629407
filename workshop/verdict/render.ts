import { lessonNumbered } from '../lessons/catalogue.ts'
import { checksOf } from '../lessons/checks.ts'
import { alikeInWords, firstDifference, moreInWords, sideBySide } from './side-by-side.ts'
import { shownPicture } from './space-time.ts'
import { spaceTimeLines } from './space-time-lines.ts'
import type { Paint } from '../terminal/colour.ts'
import { shellWord } from '../terminal/shell-word.ts'
import { truncate, wrap } from '../terminal/text.ts'
import { taskOf } from '../lessons/task-of.ts'
import { firstFailure, isStartingPoint, linesPrinted } from './verdict-summary.ts'
import { whatToWrite } from '../../protocol/not-written.ts'
import { decisive, scoreInWords, scoreOf } from '../../protocol/score.ts'
import type { CheckResult, Verdict } from '../../protocol/verdict.ts'

export type RenderOptions = {
  paint: Paint
  /** The width of the terminal, in columns. */
  width: number
  /** The name of the work. The learner's own work is named `lessons`. */
  workName: string
  /** The previous verdict, if the reader has seen it. Then only the changes are listed. */
  before?: Verdict
  /** A failing check of the lesson that comes before the graded checks. */
  earlier?: CheckResult
}

/** Returns the verdict as text: type errors, a line for each task, the first failure in full, and what to do next. */
export function renderVerdict(verdict: Verdict, options: RenderOptions): string {
  const { paint } = options
  const parts = [
    typeWarnings(verdict, paint),
    checkLines(verdict, options),
    problem(verdict, paint),
    printed(verdict, paint),
    whatIsNext(verdict, options),
    closing(verdict, options, paint),
  ]
  return parts.filter((part) => part !== '').join('\n\n')
}

/** Returns a failing check in full. */
export function renderFailure(
  check: CheckResult,
  verdict: Verdict,
  options: RenderOptions,
): string {
  const { paint } = options
  const { id, rule, story, at } = check
  if (!story) return ''
  const task = taskOf(id)
  const readme = readmeOf(verdict.lesson)
  return [
    `${paint('bad', '✗')} ${paint('strong', id)}  ${rule}`,
    '',
    ...wrap(story.seen, options.width - 2).map((line) => `  ${line}`),
    ...wrap(story.expected, options.width - 2).map((line) => `  ${line}`),
    ...(at ? [`  at ${at}`] : []),
    '',
    ...(picture(check, options) ?? transcripts(check, options)),
    ...(story.cause
      ? wrap(`The cause: ${story.cause}`, options.width - 2).map((line) => `  ${line}`)
      : []),
    ...(story.often && !story.cause
      ? wrap(`A common cause: ${story.often}`, options.width - 2).map((line) => `  ${line}`)
      : []),
    paint(
      'quiet',
      `  ${readme}, task ${task} · npm run hint ${task} · replay: ${seedFor(verdict.seed)} npm test -- lesson${id}${wordFor(options)}`,
    ),
  ].join('\n')
}

function typeWarnings({ outcome, typeErrors, typeProblem }: Verdict, paint: Paint): string {
  if (typeProblem) return paint('bad', `! ${typeProblem}`)
  // If a file could not be loaded, the error says why.
  if (outcome === 'error' || typeErrors.length === 0) return ''
  const lines = typeErrors.slice(0, 5).map((line) => `  ${line}`)
  const more = typeErrors.length > 5 ? [`  … and ${typeErrors.length - 5} more`] : []
  return [paint('bad', '! Type errors. The checks run anyway.'), ...lines, ...more].join('\n')
}

/**
 * Returns a line for each task, followed by the task's failed core checks. For a single task, returns a line for each
 * check.
 */
function checkLines(verdict: Verdict, { paint, before, width }: RenderOptions): string {
  const { checks } = verdict
  if (checks.every(({ state }) => state === 'not run')) return ''
  if (before) return changes(before, verdict, paint)
  // The only check is shown in full below.
  if (checks.length === 1 && checks[0]?.state === 'failed') return ''
  const lines = isWholeLesson(verdict)
    ? inGroups(checks).flatMap((group) => taskLines(group, paint))
    : checks.flatMap((check) => [checkLine(check, paint), ...whyEdgeCaseFailed(check, width)])
  return lines.join('\n')
}

/** Returns which checks pass now, and which no longer pass: `✓ 2.2c and 2.2d pass now`. */
function changes(before: Verdict, { checks }: Verdict, paint: Paint): string {
  const hadPassed = new Set(
    before.checks.filter(({ state }) => state === 'passed').map(({ id }) => id),
  )
  const gained = checks.filter(({ id, state }) => state === 'passed' && !hadPassed.has(id))
  const lost = checks.filter(({ id, state }) => state === 'failed' && hadPassed.has(id))
  if (gained.length + lost.length === 0) return paint('quiet', 'The same checks pass as before.')
  const line = (mark: string, changed: CheckResult[], verb: string): string =>
    `${mark} ${nameChecks(changed)} ${verb}${changed.length === 1 ? 's' : ''} now`
  return [
    ...(gained.length > 0 ? [line(paint('good', '✓'), gained, 'pass')] : []),
    ...(lost.length > 0 ? [line(paint('bad', '✗'), lost, 'fail')] : []),
  ].join('\n')
}

function nameChecks(checks: CheckResult[]): string {
  if (checks.length > MOST_NAMED) return `${checks.length} checks`
  return new Intl.ListFormat('en-GB').format(checks.map(({ id }) => id))
}

const MOST_NAMED = 8

/** One task, or several consecutive tasks that cannot be graded until the same function is written. */
type Group = { from: string; to: string; checks: [CheckResult, ...CheckResult[]] }

function inGroups(checks: CheckResult[]): Group[] {
  const groups: Group[] = []
  for (const task of new Set(checks.map(({ id }) => taskOf(id)))) {
    const [first, ...rest] = checks.filter(({ id }) => taskOf(id) === task)
    const group: Group = { from: task, to: task, checks: [first!, ...rest] }
    const before = groups.at(-1)
    const wanted = missing(group)
    if (before && wanted && wanted === missing(before)) {
      before.to = task
      before.checks.push(...group.checks)
    } else groups.push(group)
  }
  return groups
}

/** Returns the sentence that says what to write before any check of a group can pass. */
function missing({ checks }: Group): string | undefined {
  const [{ notWritten }] = checks
  return checks.every((check) => check.notWritten === notWritten) ? notWritten : undefined
}

function taskLines(group: Group, paint: Paint): string[] {
  const { from, to, checks } = group
  const name = from === to ? from : `${from} to ${to}`
  const wanted = missing(group)
  if (wanted)
    return [
      `○ ${name}  ${paint('quiet', `not written yet: ${whatToWrite(wanted).replace(/^write /, '')}`)}`,
    ]
  const decides = decisive(checks)
  const isPassed = decides.every(({ state, lacks }) => state === 'passed' || lacks)
  const mark = isPassed ? paint('good', '✓') : paint('bad', '✗')
  const isAllGreen = checks.every(({ state }) => state === 'passed')
  const score = isAllGreen ? `${checks.length}/${checks.length}` : scoreInWords(scoreOf(checks))
  const worthALine = checks.filter(
    ({ state, note, isEdgeCase }) => note || (state !== 'passed' && !isEdgeCase),
  )
  return [
    `${mark} ${name}  ${score}`,
    ...worthALine.map((check) => `    ${checkLine(check, paint)}`),
  ]
}

function checkLine(
  { id, rule, state, isEdgeCase, notWritten, lacks, note }: CheckResult,
  paint: Paint,
): string {
  if (state === 'not run') {
    const why = lacks ? `not graded: ${lacks} is not installed` : 'no result'
    return paint('quiet', `- ${id}  ${rule} (${why})`)
  }
  const isPassed = state === 'passed'
  const mark = isPassed ? paint('good', '✓') : paint(isEdgeCase ? 'quiet' : 'bad', '✗')
  const remarks = [
    ...(isEdgeCase ? ['edge case'] : []),
    ...(notWritten ? ['not written yet'] : []),
    ...(isPassed && note ? [note] : []),
  ]
  const remark = remarks.length > 0 ? paint('quiet', ` (${remarks.join(', ')})`) : ''
  return `${mark} ${id}  ${rule}${remark}`
}

/** Returns the lines that say what happened in an edge case that failed, because only a core check is shown in full. */
function whyEdgeCaseFailed({ state, isEdgeCase, story }: CheckResult, width: number): string[] {
  if (state !== 'failed' || !isEdgeCase || !story) return []
  return wrap(story.seen, width - 8).map((line) => `        ${line}`)
}

function isWholeLesson({ checks, lesson }: Verdict): boolean {
  return checks.length === checksOf(lesson).length
}

function problem({ outcome, problem: what }: Verdict, paint: Paint): string {
  if (!what) return ''
  const detail = what.detail.split('\n').map((line) => `  ${line}`)
  return [`${paint('bad', `${outcome}:`)} ${paint('strong', what.what)}`, '', ...detail].join('\n')
}

function whatIsNext(verdict: Verdict, options: RenderOptions): string {
  const first = firstFailure(verdict.checks)
  if (!first) return ''
  // The core checks have passed. A line at the end says how to see the first edge case.
  if (first.isEdgeCase && verdict.checks.length > 1) return ''
  if (isStartingPoint(verdict.checks)) {
    return [
      `This is the starting point: nothing is written yet, so nothing passes.`,
      `Begin with task ${taskOf(first.id)} in ${readmeOf(verdict.lesson)}`,
    ].join('\n')
  }
  if (first.notWritten) return `Next: ${first.notWritten}, see ${readmeOf(verdict.lesson)}`
  const others = verdict.checks.filter(
    (check) => check.story && !check.notWritten && check !== first,
  )
  const [next] = decisive(others)
  return [
    renderFailure(first, verdict, options),
    ...(next ? [options.paint('quiet', theOthers(next, others.length, options))] : []),
  ].join('\n')
}

/** Says how many other checks failed, and how to see the first of them in full. */
function theOthers({ id }: CheckResult, count: number, options: RenderOptions): string {
  const how = count === 1 ? ':' : ', the next of them:'
  return `  ${count} more failed${how} npm test -- lesson${id}${wordFor(options)}`
}

/** Returns the output of the learner's code, such as that of `console.log()`. */
function printed({ outcome, printed: text }: Verdict, paint: Paint): string {
  const lines = linesPrinted(text)
  if (outcome === 'pass' || lines.length === 0) return ''
  const more = lines.length > 20 ? [paint('quiet', `  … and ${lines.length - 20} more lines`)] : []
  return [
    paint('quiet', 'Your code printed:'),
    ...lines.slice(0, 20).map((line) => `  ${line}`),
    ...more,
  ].join('\n')
}

function closing(verdict: Verdict, options: RenderOptions, paint: Paint): string {
  const { checks, outcome, lesson, seed } = verdict
  const lacking = checks.filter(({ lacks }) => lacks)
  const ungraded = lacking.length > 0 ? `, ${lacking.length} not graded` : ''
  const isLesson = isWholeLesson(verdict)
  const [first] = checks.map(({ id }) => (checks.length === 1 ? id : taskOf(id)))
  const part = isLesson ? lesson : first
  const score = `lesson ${part}${whose(options)}: ${scoreInWords(scoreOf(checks))}${ungraded}`
  const word = { pass: 'passed', fail: 'not yet', error: 'error', stuck: 'stuck' }[outcome]
  const line = `${paint(outcome === 'pass' ? 'good' : 'bad', word)} · ${score} · ${seedFor(seed)}`
  return [
    line,
    ...(options.earlier ? [beginThere(options.earlier, options)] : []),
    ...(lacking[0] ? [`There is no ${lacking[0].lacks} to grade them with: npm run setup`] : []),
    ...(outcome === 'pass' && checks.length > 1 ? edgeCasesLeft(checks, options) : []),
    ...(outcome === 'pass' && isLesson && !whose(options) ? [whatNext(lesson)] : []),
  ].join('\n')
}

/**
 * Returns the advice to begin with an earlier check, because the graded checks may fail only because that check does.
 */
function beginThere({ id }: CheckResult, options: RenderOptions): string {
  return `An earlier check, ${id}, fails too. Begin there: npm test -- lesson${id}${wordFor(options)}`
}

function edgeCasesLeft(checks: CheckResult[], options: RenderOptions): string[] {
  const failed = checks.filter(({ state }) => state === 'failed')
  const [first, ...rest] = failed
  if (!first) return []
  const how = `npm test -- lesson${first.id}${wordFor(options)}`
  if (rest.length === 0) return [`One edge case is left: ${how}`]
  const names = failed.length > MOST_NAMED ? '' : `: ${nameChecks(failed)}`
  return [`${failed.length} edge cases are left${names}. The first of them: ${how}`]
}

function whatNext(lesson: number): string {
  const next = lessonNumbered(lesson + 1)
  const compare = `Compare your files with the solution: npm run solution ${lesson}`
  return next
    ? `${compare}\nThe next lesson, ${next.title}: npm run lesson ${next.number}`
    : compare
}

/** Returns the word that names somebody else's work on the command line. */
function wordFor({ workName }: RenderOptions): string {
  return workName === 'lessons' ? '' : ` ${shellWord(workName)}`
}

function whose({ workName }: RenderOptions): string {
  return workName === 'lessons' ? '' : ` ${workName}`
}

function readmeOf(lesson: number): string {
  return `lessons/${lessonNumbered(lesson)!.folder}/README.md`
}

/** Returns the picture of what happened, or undefined if there is no picture or no room for it. */
function picture(check: CheckResult, { width, paint }: RenderOptions): string[] | undefined {
  const shown = shownPicture(check)
  const lines = shown && spaceTimeLines(shown, Math.min(width, MOST_COLUMNS) - 4, paint)
  return lines && [...lines.map((line) => `    ${line}`), '']
}

/** The width from which on a picture is not easier to read. */
const MOST_COLUMNS = 100

/** Returns both transcripts in two columns, or one below the other if the terminal is narrow. */
function transcripts(
  { steps, reference = [] }: CheckResult,
  { width, paint }: RenderOptions,
): string[] {
  if (steps.length === 0) return []
  const shown = sideBySide(steps, reference)
  const { from, more } = shown
  const last = from + Math.max(shown.yours.length, shown.reference.length)
  const digits = Math.max(2, String(last).length)
  const row = (number: string, text: string): string => `${number.padStart(digits)}  ${text}`
  const isBeside = reference.length > 0 && width >= 90
  const room = isBeside ? Math.floor((width - 4 - 3) / 2) : width - 4
  const differs = reference.length > 0 ? firstDifference(shown.yours, shown.reference) : -1
  // Show the first row that differs in full, because the difference may be at the end of the row.
  const cells = (lines: readonly string[]): string[][] => [
    ...(from > 0 ? [[row('', alikeInWords(from))]] : []),
    ...lines.map((line, n) => {
      const cell = row(String(from + n + 1), line)
      return n === differs ? fold(cell, room, digits + 2) : [truncate(cell, room)]
    }),
  ]
  const left = cells(shown.yours)
  const right = [...cells(shown.reference), ...(more > 0 ? [[row('', moreInWords(more))]] : [])]
  if (isBeside) return columns([['yours'], ...left], [['reference'], ...right], room, paint)
  const block = (all: string[][]): string[] => [...all.flat().map((line) => `    ${line}`), '']
  if (reference.length === 0) return block(left)
  const title = (text: string): string => `    ${paint('quiet', text)}`
  return [title('yours'), ...block(left), title('reference'), ...block(right)]
}

/** Puts two texts into columns. @param room the width of a column, in characters */
function columns(left: string[][], right: string[][], room: number, paint: Paint): string[] {
  const rows = Math.max(left.length, right.length)
  const lines = Array.from({ length: rows }, (_row, row) => {
    const [yours = [], theirs = []] = [left[row], right[row]]
    const height = Math.max(yours.length, theirs.length)
    return Array.from({ length: height }, (_line, n) => {
      const line = `    ${(yours[n] ?? '').padEnd(room)}   ${theirs[n] ?? ''}`.trimEnd()
      return row === 0 ? paint('quiet', line) : line
    })
  })
  return [...lines.flat(), '']
}

/** Wraps a text to at most `MOST_FOLDED` lines, and indents those after the first. */
function fold(text: string, width: number, indent: number): string[] {
  const lines: string[] = []
  let rest = text
  while ([...rest].length > width && lines.length < MOST_FOLDED - 1) {
    const characters = [...rest].slice(0, width + 1)
    const space = characters.lastIndexOf(' ')
    // A long word is JSON or raw bytes, and can be broken anywhere.
    const end = space > width / 2 ? space : width
    lines.push(characters.slice(0, end).join(''))
    rest = ' '.repeat(indent) + rest.slice(lines.at(-1)!.length).trimStart()
  }
  return [...lines, truncate(rest, width)]
}

const MOST_FOLDED = 6

function seedFor(seed: number): string {
  return `SEED=${seed}`
}
