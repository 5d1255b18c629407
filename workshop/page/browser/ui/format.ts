/** Formats milliseconds: `1.204 s`. */
export function formatSeconds(at: number): string {
  return `${(at / 1000).toFixed(3)} s`
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
