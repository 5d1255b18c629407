/** Parses a time in nginx's syntax, such as `60`, `60s`, `1m30s` or `24h`, and returns it in seconds. */
export function parseSeconds(time: string): number {
  const units: Record<string, number> = {
    ms: 0.001,
    m: 60,
    h: 3600,
    d: 86_400,
    w: 604_800,
    M: 2_592_000,
    y: 31_536_000,
  }
  const parts = [...time.matchAll(/(\d+)(ms|[a-zA-Z]?)/g)]
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * (units[unit!] ?? 1), 0)
}
