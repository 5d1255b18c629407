/** Returns the minutes since midnight for a time such as `9:00`, or undefined if the word is not a time. */
export function minutesOfDay(word: string): number | undefined {
  const [, hours, minutes] = /^([01]?\d|2[0-3]):([0-5]\d)$/.exec(word) ?? []
  return hours === undefined ? undefined : Number(hours) * 60 + Number(minutes)
}

/** Formats minutes as a time: `9:05` for 545. After midnight, starts over with `0:00`. */
export function clock(minutes: number): string {
  const ofDay = ((Math.floor(minutes) % DAY) + DAY) % DAY
  return `${Math.floor(ofDay / 60)}:${String(ofDay % 60).padStart(2, '0')}`
}

/** Returns a time of day in minutes, rounded to five minutes. */
export function nearestFive(time: Date): number {
  return Math.round(timeOfDay(time) / 5) * 5
}

/** Returns a time of day in minutes since midnight, with fractions. */
export function timeOfDay(time: Date): number {
  return time.getHours() * 60 + time.getMinutes() + time.getSeconds() / 60
}

/** The minutes of a day. */
export const DAY = 24 * 60
