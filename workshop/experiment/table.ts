import type { Measured, Way } from '../../protocol/experiment.ts'
import type { Result, Row } from './rows.ts'

/** Formats the results as two Markdown tables: one for the hops between server and client, and one for browsers. */
export function markdownTables(results: Result[]): string {
  const isInBrowser = ({ row }: Result): boolean => row.browserApi !== undefined
  return [
    '| between server and client | setting | the server | a stream of small events | the server notices a disconnect |',
    '|---|---|---|---|---|',
    ...results.filter((result) => !isInBrowser(result)).map(markdownLine),
    '',
    '| the last hop | how it reads | the server | a stream of small events | the server notices a disconnect |',
    '|---|---|---|---|---|',
    ...results.filter(isInBrowser).map(markdownLine),
  ].join('\n')
}

export function markdownLine(result: Result): string {
  const { row } = result
  const { hop, setting, server } = row
  const cells = [
    'version' in result ? `${hop} ${numberOf(result.version ?? '')}` : hop,
    setting && !row.browserApi ? `\`${setting}\`` : setting,
    server,
    ...('why' in result ? [`not measured: ${result.why}`, ''] : [result.verdict, toldIn(result)]),
  ]
  return `| ${cells.join(' | ')} |`
}

/** Returns `after 2 writes`, or `at once` or `never`. */
export function toldIn({ writesUntilTold: writes }: Pick<Measured, 'writesUntilTold'>): string {
  if (writes === undefined) return 'never'
  if (writes === 0) return 'at once'
  return writes === 1 ? 'after 1 write' : `after ${writes} writes`
}

/** Formats the results for a terminal, one per line, with the predictions. */
export function textTable(results: Result[], predicted: Map<Row, string>): string {
  return results
    .map((result) => {
      const guess = predicted.get(result.row)
      const verdict = 'why' in result ? `not measured: ${result.why}` : result.verdict
      const delay = 'why' in result ? '' : `${medianDelay(result)} ms`
      const isRight = guess === verdict
      const said = guess && (isRight ? '  as you predicted' : `  you predicted: ${guess}`)
      return `${verdict.padEnd(12)} ${delay.padStart(8)}  ${nameOf(result.row)}${said ?? ''}`
    })
    .join('\n')
}

/** Returns a row's name: `nginx · proxy_http_version 1.0; · X-Accel-Buffering: no`. */
export function nameOf({ hop, setting, server }: Way): string {
  return [hop, setting, server].filter((part) => part !== '').join(' · ')
}

/** Returns the median delay of the events, in milliseconds. */
export function medianDelay({ events }: Pick<Measured, 'events'>): number {
  const delays = events.map(({ written, arrived }) => arrived - written).sort((a, b) => a - b)
  return Math.round(delays[Math.floor(delays.length / 2)]!)
}

/** Extracts the version number, such as `1.22.1`, from the line that a program prints. */
function numberOf(version: string): string {
  return /\d+\.\d+(\.\d+)?/.exec(version)?.[0] ?? version
}
