/** Formats milliseconds: `1.204 s`. */
export function formatSeconds(at: number): string {
  return `${(at / 1000).toFixed(3)} s`
}

/** Formats a duration in milliseconds, as short as possible: `12 ms`, `3.2 s` or `2 min 5 s`. */
export function formatDuration(duration: number): string {
  if (duration < 10) return `${duration.toFixed(1)} ms`
  if (duration < 1000) return `${Math.floor(duration)} ms`
  const seconds = Math.floor(duration / 1000)
  if (seconds < 60) return `${(Math.floor(duration / 100) / 10).toFixed(1)} s`
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
}

/** Formats a number: `1,204`. */
export function formatNumber(number: number): string {
  return number.toLocaleString('en')
}

/** Formats a number of things: `1 reader`, `2 readers`. */
export function formatCount(count: number, what: string): string {
  return `${formatNumber(count)} ${what}${count === 1 ? '' : 's'}`
}

/** Formats a number of bytes: `1,204 B`. */
export function formatBytes(size: number): string {
  return `${formatNumber(size)} B`
}
