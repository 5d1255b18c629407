import { METHOD, ORIGIN } from './report-address.ts'
import { withoutZstd } from './decode.ts'
import { counted, duration, paragraph, printable, range } from './format.ts'
import type { Answer, Report } from './report.ts'

/** Formats a report for the terminal: a table of everything that was seen, and a chart of the three clients. */
export function reportText(report: Report, { width }: { width: number }): string {
  const rows = report.answer ? rowsOf(report) : []
  const nameWidth = Math.max(...rows.map(([name]) => name.length), 0)
  return [
    report.url,
    ...report.redirects.map(
      ({ status, to }) => `  after a redirect (${status}) to ${printable(to, width - 26)}`,
    ),
    '',
    ...(report.problem
      ? [...paragraph(`This is no stream: ${report.problem}.`, { width }), '']
      : []),
    ...(report.answer || report.problem
      ? []
      : [
          `No answer in ${duration(report.watchedMs)}. The head may wait for the first event, or the app may be stuck.`,
          '',
        ]),
    ...rows.flatMap(([name, seen]) => {
      const [first = '', ...others] = paragraph(printable(seen, 400), {
        width: width - nameWidth - 4,
      })
      const indent = ' '.repeat(nameWidth + 4)
      return [`  ${name.padEnd(nameWidth)}  ${first}`, ...others.map((line) => indent + line)]
    }),
    ...(!report.problem && (report.events.count > 0 || report.heartbeats.count > 0)
      ? timeline(report, width)
      : []),
  ]
    .join('\n')
    .trimEnd()
}

type Row = [name: string, seen: string]

function rowsOf(report: Report): Row[] {
  const { answer, unit, events, heartbeats, ids, retries, watchedMs, hops, waitedMs } = report
  const { headers, status, text, version, headMs, connectMs } = answer!
  const watched = `in ${duration(watchedMs)}`
  const connected = connectMs === undefined ? '' : `, connected in ${duration(connectMs)}`
  const sent = (name: string): string => headers[name.toLowerCase()] ?? 'not sent'
  const noStream = report.problem !== undefined
  return [
    ['answer', `${`${status} ${text}`.trim()}, head after ${duration(headMs)}${connected}`],
    ['HTTP version', httpVersion(version, report.protocol)],
    ...hops.map(({ name, by }): Row => ['hop', `${name}, by its header "${by}"`]),
    ['Content-Type', sent('Content-Type')],
    ['Cache-Control', sent('Cache-Control')],
    [
      'X-Accel-Buffering',
      `${sent('X-Accel-Buffering')}${headers['x-accel-buffering'] ? '' : ', or removed by nginx'}`,
    ],
    ...['Content-Length', 'Content-Encoding', 'Vary', 'Age', 'X-Cache', 'ETag'].flatMap(
      (name): Row[] => (headers[name.toLowerCase()] === undefined ? [] : [[name, sent(name)]]),
    ),
    [`${unit}s`, eventsText(report)],
    ...(noStream
      ? []
      : ([
          ['heartbeat', heartbeatText(report, watched)],
          ['ids', ids.count === 0 ? (events.count === 0 ? 'no events' : 'none') : idsText(report)],
          ['retry', retries.length > 0 ? `${retries.join(', ')} ms` : `not sent ${watched}`],
          ['as a browser', compressionText(report)],
          ['second client', secondText(report)],
          ['Last-Event-ID', resumptionText(report)],
        ] satisfies Row[])),
    ...(report.head ? ([['HEAD', answerText(report.head, waitedMs)]] satisfies Row[]) : []),
    ...(report.method
      ? ([
          [
            METHOD,
            `${answerText(report.method, waitedMs)}${report.method.allow ? `, Allow: ${report.method.allow}` : ''}`,
          ],
        ] satisfies Row[])
      : []),
    ...(report.crossOrigin ? ([['CORS', crossOriginText(report)]] satisfies Row[]) : []),
  ]

  function heartbeatText({ heartbeats: seen }: Report, during: string): string {
    const what = unit === 'event' ? 'comment' : 'blank line'
    if (seen.count === 0) {
      return `none ${during}; the longest silence was ${duration(events.longestSilenceMs)}`
    }
    const every = seen.intervalMs === undefined ? '' : `, one every ${duration(seen.intervalMs)}`
    return `${counted(heartbeats.count, what)} ${during}${every}; the longest silence was ${duration(events.longestSilenceMs)}`
  }
}

function httpVersion(version: string, protocol: string | undefined): string {
  if (protocol === undefined) return `HTTP/${version}`
  const chosen = protocol === 'none' ? 'chose neither h2 nor http/1.1' : `chose ${protocol}`
  return `HTTP/${version}; offered h2 and http/1.1, the server ${chosen}`
}

function eventsText({ unit, events, watchedMs }: Report): string {
  const { count, intervalMs, afterHeadMs, bytes, ended } = events
  const end =
    ended === 'complete'
      ? '; the response ended'
      : ended === 'cut'
        ? '; the response was cut off'
        : ''
  if (count === 0) return `none in ${duration(watchedMs)}${end}`
  const every = intervalMs === undefined ? '' : `, one every ${duration(intervalMs)} (median)`
  const first =
    afterHeadMs === undefined ? '' : `; the first ${duration(afterHeadMs)} after the head`
  return `${counted(count, unit)} (${counted(bytes, 'byte')}) in ${duration(watchedMs)}${every}${first}${end}`
}

function idsText({ ids, events }: Report): string {
  const { count, different, isAscending } = ids
  const all = `${count} of ${counted(events.count, 'event')}`
  const repeated = different === count ? 'all different' : `${different} different ones`
  const order = isAscending === undefined ? '' : isAscending ? ', ascending' : ', not ascending'
  return `${all}, ${repeated}${order}`
}

function compressionText({ compression, unit }: Report): string {
  const { coding, bytes, decodedBytes, of, inTime, limitMs, delays, problem } = compression
  const asked = `${compression.asked}${withoutZstd(compression.asked)}`
  if (problem) return `asked for ${asked}: ${problem}`
  const answer = coding ? `${coding}, ${bytes} bytes for ${decodedBytes}` : 'not compressed'
  if (of === 0) return `asked for ${asked}: ${answer}; no ${unit}s to compare`
  const times = `${inTime} of ${counted(of, unit)} within ${duration(limitMs)} of the first client's`
  return `asked for ${asked}: ${answer}; ${times}${delays ? ` (${range(delays)})` : ', none arrived'}`
}

function secondText({ secondClient, unit }: Report): string {
  const { outcome, both, of, history, ids, isOwnStream, afterMs, problem } = secondClient
  const earlier = history > 0 ? `; it first got ${counted(history, `earlier ${unit}`)}` : ''
  if (outcome === 'the second refused') return `refused: ${problem}`
  if (outcome === 'the first cut') {
    return `the first client was cut off ${duration(afterMs!)} after the second one asked`
  }
  if (outcome === 'dealt out') {
    return `each ${unit} arrived at only one client: the server deals them out`
  }
  if (outcome === 'unclear') return `it got no ${unit}s, while the first one got ${of}`
  if (of === 0) return `both were served, but there were no ${unit}s to compare${earlier}`
  const same = ids === undefined ? '' : `, with ${ids} ids`
  if (isOwnStream)
    return `both were served, each with a stream of its own from the beginning${same}`
  return `both were served; ${both} of ${counted(of, unit)} arrived at both${same}${earlier}`
}

function resumptionText({ lastEventId, ids, waitedMs }: Report): string {
  if (!lastEventId) return ids.count === 0 ? 'not asked, because no event had an id' : 'not asked'
  const { cursor, outcome, next, got, problem } = lastEventId
  const name = (id: string | undefined): string =>
    id === undefined ? 'one without an id' : `"${printable(id, 40)}"`
  const after = next === undefined ? '' : `, where ${name(next)} came next`
  const texts: Record<typeof outcome, string> = {
    replays: `replays: the first event was ${name(got)}`,
    repeats: 'replays, but begins with the same event again',
    'starts over': `starts over: the first event was ${name(got)}, as for a new client`,
    ignores: `ignores it: the first event was ${name(got)}, a later one`,
    skips: `skips events: the first event was ${name(got)}`,
    silent: `no event in ${duration(waitedMs)}, so nothing was replayed`,
    refuses: `refuses: ${problem}`,
  }
  return `asked with ${name(cursor)}${after}: ${texts[outcome]}`
}

function answerText({ status, text, ms, problem }: Answer, waitedMs: number): string {
  if (status === undefined) return problem ?? `no answer in ${duration(waitedMs)}`
  return `${`${status} ${text ?? ''}`.trim()} after ${duration(ms!)}`
}

function crossOriginText({ crossOrigin, waitedMs }: Report): string {
  const { allowOrigin, allowCredentials, status } = crossOrigin!
  if (status === undefined) return answerText(crossOrigin!, waitedMs)
  if (allowOrigin === undefined) {
    return `Origin ${ORIGIN}: no Access-Control-Allow-Origin, so only pages of the same origin can read the stream`
  }
  const credentials = allowCredentials === undefined ? '' : `, credentials ${allowCredentials}`
  return `Origin ${ORIGIN}: allowed origin ${allowOrigin}${credentials}`
}

/** Draws one lane for each client. */
function timeline({ lanes, watchedMs }: Report, width: number): string[] {
  const nameWidth = Math.max(...lanes.map(({ who }) => who.length))
  const room = width - nameWidth - 4
  const at = (time: number): number =>
    Math.min(room - 1, Math.max(0, Math.round((time / watchedMs) * (room - 1))))
  const end = `${(watchedMs / 1000).toFixed(1)} s`
  return [
    '',
    '  △ head · | event · : heartbeat · × end',
    '',
    `  ${''.padEnd(nameWidth)}  0 s${end.padStart(room - 3)}`,
    ...lanes.map(({ who, head, events, heartbeats, ended }) => {
      const cells = Array.from({ length: room }, () => ' ')
      for (const time of heartbeats) cells[at(time)] = ':'
      for (const time of events) cells[at(time)] = '|'
      if (ended !== undefined) cells[at(ended)] = '×'
      if (head !== undefined) cells[at(head)] = '△'
      return `  ${who.padEnd(nameWidth)}  ${cells.join('')}`.trimEnd()
    }),
  ]
}
