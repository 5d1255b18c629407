import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { SpaceTime } from '../../protocol/space-time.ts'
import { firstDifference } from '../verdict/side-by-side.ts'
import type { CheckResult } from '../../protocol/verdict.ts'
import { ROOT } from '../root.ts'
import { drawn, formatPicture, parsePicture } from './stored-picture.ts'

/** The message that a learner sees for a mistake, independent of its rendering. */
export type Message = {
  seen: string
  expected: string
  cause?: string
  often?: string
  at?: string
  /** The steps of the check, or an excerpt around the first step that differs from the solution's. */
  steps: string[]
  /** The picture of the check, without the solution's. */
  picture?: SpaceTime
}

/** Returns the message of a failed check. */
export function messageOf(check: CheckResult): Message {
  const { story, at, steps, reference = [] } = check
  const picture = drawn(check)
  const { seen = '', expected = '', cause, often } = story ?? {}
  return {
    seen: oneLine(seen),
    expected: oneLine(expected),
    ...(cause ? { cause: oneLine(cause) } : often && { often: oneLine(often) }),
    ...(at && { at }),
    steps: excerpt(steps, reference),
    ...(picture && { picture }),
  }
}

/** Returns the path of the stored messages for a task's mistakes: `test/mistakes/lesson1/1.2.says.txt`. */
export function messagesFile({ lesson, task }: { lesson: number; task: string }): string {
  return join(ROOT, 'test', 'mistakes', `lesson${lesson}`, `${task}.says.txt`)
}

/** Reads a task's stored messages, by the mistake's name. Returns an empty map if there is no file. */
export function readMessages(task: { lesson: number; task: string }): Map<string, Message> {
  let text: string
  try {
    text = readFileSync(messagesFile(task), 'utf8').replaceAll('\r\n', '\n')
  } catch {
    return new Map()
  }
  return new Map(text.split(/^## /m).slice(1).map(parse))
}

/** Formats the messages of a task for the file in which they are stored. */
export function formatMessages(messages: ReadonlyMap<string, Message>): string {
  return [...messages].map(([name, message]) => `## ${name}\n${formatMessage(message)}`).join('\n')
}

/** Formats one message, with one fact or step per line. */
export function formatMessage({ steps, picture, ...facts }: Message): string {
  const lines = Object.entries(facts).map(([what, text]) => `${what}: ${text}`)
  const drawing = picture ? formatPicture(picture) : []
  return [...lines, ...steps.map((step) => `  ${step}`), ...drawing, ''].join('\n')
}

function parse(text: string): [name: string, message: Message] {
  const [name = '', ...lines] = text.trimEnd().split('\n')
  const said = lines.filter((line) => !/^ {2}|^\| /.test(line)).map((line) => line.split(/: (.*)/s))
  const steps = lines.filter((line) => line.startsWith('  ')).map((line) => line.slice(2))
  const picture = parsePicture(lines.filter((line) => line.startsWith('| ')))
  const facts: Omit<Message, 'steps' | 'picture'> = Object.fromEntries(said)
  return [name, { ...facts, steps, ...(picture && { picture }) }]
}

/** Returns the steps around the first difference, each shortened to one line. */
function excerpt(steps: readonly string[], reference: readonly string[]): string[] {
  const parts = firstDifference(steps, reference)
  const last = Math.max(0, steps.length - MOST)
  const from = Math.min(Math.max(0, parts === -1 ? last : parts - BEFORE), last)
  const more = steps.length - from - MOST
  return [
    ...(from > 0 ? [`… ${from} before`] : []),
    ...steps.slice(from, from + MOST).map((step) => cut(oneLine(step))),
    ...(more > 0 ? [`… ${more} more`] : []),
  ]
}

const MOST = 10
const BEFORE = 3

/** Removes line breaks and trailing spaces, because editors or Git might change them. */
function oneLine(text: string): string {
  return text
    .replace(/[\r\n]+/g, ' ')
    .replace(CHOSEN_BY_REDIS, '‹stream ID›')
    .trimEnd()
}

function cut(step: string): string {
  const characters = [...step]
  return characters.length <= WIDTH ? step : `${characters.slice(0, WIDTH - 1).join('')}…`
}

const WIDTH = 100

/** Matches a stream ID that Redis has chosen, which contains the time. The IDs of the checks begin with 17162. */
const CHOSEN_BY_REDIS = /\b(?!17162)1\d{12}-\d+\b/g
