/** What becomes of a stream: the words of the lesson, and `late`, when events wait for others and not for the end. */
export const VERDICTS = ['passes', 'head waits', 'late', 'holds'] as const

export type MeasuredVerdict = (typeof VERDICTS)[number]
