/** What becomes of a stream: the words of the lesson, and `late`. */
export const VERDICTS = ['passes', 'head waits', 'late', 'holds'] as const

export type MeasuredVerdict = (typeof VERDICTS)[number]

/** What the words mean. */
export const MEANINGS: Record<MeasuredVerdict, string> = {
  passes: 'the head is there before there is an event, then each event before the next one',
  'head waits': 'the head comes with the first event, then each event before the next one',
  late: 'the events wait for others, and come before the end: in lumps, or one behind',
  holds: 'the events wait for the end, or until there are enough of them to fill a buffer',
}
