/** An `nginx.conf` without its comments. */
export function directives(conf: string): string {
  return conf.replace(/(?<=^|\s)#.*$/gm, '')
}

/**
 * The value of a directive that is in force for a path: of the location that nginx takes for it, or else of what
 * stands around it. Undefined where nobody says it. Locations in locations are not looked at.
 */
export function inForce(conf: string, path: string, name: string): string | undefined {
  const text = directives(conf)
  const around = text.replace(LOCATION, '')
  const levels = [locationFor(path, text), SERVER.exec(around)?.[1], around.replace(SERVER, '')]
  const directive = new RegExp(`\\b${name}\\s+([^;]+);`)
  return levels.map((level = '') => directive.exec(level)?.[1]).find((value) => value !== undefined)
}

/** How a location matches, what, and its block, in which blocks may stand. */
const LOCATION =
  /\blocation\s+(?:(=|\^~|~\*?)\s*)?["']?([^\s{"']+)["']?\s*\{((?:[^{}]|\{[^{}]*\})*)\}/g

const SERVER = /\bserver\s*\{([^}]*)\}/

/**
 * The block of the location that nginx takes.
 *
 * @see https://nginx.org/en/docs/http/ngx_http_core_module.html#location
 */
function locationFor(path: string, text: string): string | undefined {
  const all = [...text.matchAll(LOCATION)].map(([, how = '', where = '', block]) => ({
    how,
    where,
    block,
  }))
  const [longest] = all
    .filter(({ how, where }) => (how === '' || how === '^~') && path.startsWith(where))
    .sort((a, b) => b.where.length - a.where.length)
  const same = all.find(({ how, where }) => how === '=' && where === path)
  if (same) return same.block
  if (longest?.how === '^~') return longest.block
  const pattern = all.find(
    ({ how, where }) =>
      (how === '~' || how === '~*') && new RegExp(where, how === '~*' ? 'i' : '').test(path),
  )
  return (pattern ?? longest)?.block
}

/** As nginx reads a time: `60`, `60s`, `1m30s`, `24h`. */
export function secondsOf(time: string): number {
  const units: Record<string, number> = { ms: 0.001, m: 60, h: 3600, d: 86_400, w: 604_800 }
  const parts = [...time.matchAll(/(\d+)(ms|[a-zA-Z]?)/g)]
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * (units[unit!] ?? 1), 0)
}
