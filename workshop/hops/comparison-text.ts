import { MEANINGS } from '../../protocol/experiment.ts'
import { withoutZstd } from './decode.ts'
import type { ComparedStream, Comparison, Way } from './comparison.ts'
import { columns, counted, duration, paragraph, printable, range } from './format.ts'
import type { Judgement } from './judge.ts'
import { firstShown, lanes, LANES_LEGEND } from './lanes.ts'

/** Formats a comparison for the terminal. The verdict comes last, where it stays visible. */
export function comparisonText(
  comparison: Comparison,
  { width, most }: { width: number; most: number },
): string {
  const { streams, watchedMs, events, unit, matchedBy, notes, hops, codings } = comparison
  const by = { id: 'by id', bytes: 'by their bytes', order: 'by their order' }
  const matched = matchedBy ? `, matched ${by[matchedBy]}` : ''
  const which = firstShown(events.length, most) > 0 ? 'last' : 'first'
  const chart = lanes(comparison, { width, most })
  const lines = [
    `direct  ${streams.direct.url}`,
    ...redirectsOf(streams.direct, width),
    `public  ${streams.public.url}`,
    ...redirectsOf(streams.public, width),
    ...hops.map(
      ({ name, by: sign }) => `        ${printable(`${name}, by its header "${sign}"`, width - 8)}`,
    ),
    '',
    `Watched for ${duration(watchedMs)}: ${counted(streams.direct.events, unit)}${matched}.`,
    '',
    ...columns([['address', 'asked', 'answer', 'head', `${unit}s`, 'verdict'], ...ROWS.map(row)], {
      width,
    }),
    `  As a browser: Accept-Encoding: ${codings}${withoutZstd(codings)}`,
    ...(chart.length > 0
      ? ['', ...paragraph(LANES_LEGEND, { width, indent: 2 }), '', ...chart]
      : []),
    ...(events.length > most ? [`  The ${which} ${most} of ${counted(events.length, unit)}.`] : []),
    ...problemLines(comparison, width),
    ...verdictLines(comparison, width),
    ...(notes.length > 0 ? [''] : []),
    ...notes.flatMap((note) => paragraph(`Note: ${note}`, { width })),
  ]
  return lines.join('\n')

  function row([way, address, asks]: (typeof ROWS)[number]): string[] {
    const stream = streams[way]
    return [
      address,
      asks,
      answerIn(stream),
      stream.headMs === undefined ? '…' : duration(stream.headMs),
      `${stream.events}`,
      way === 'direct' ? (stream.problem ? '' : 'reference') : verdictIn(way, comparison),
    ]
  }
}

/** The four requests, in the order of lesson 4's "Find the hop". */
export const ROWS = [
  ['direct', 'direct', 'plain'],
  ['directAsBrowser', 'direct', 'as a browser'],
  ['public', 'public', 'plain'],
  ['publicAsBrowser', 'public', 'as a browser'],
] as const satisfies [Way, string, string][]

/** Returns a verdict in lesson 4's words, and whether a compressor is to blame. */
export function verdictIn(way: Way, { streams, cause }: Comparison): string {
  const verdict = streams[way].judgement?.verdict
  if (!verdict) return streams[way].problem ? 'no stream' : ''
  const isCompressed = cause?.isCompressed && verdict !== 'passes' && way.endsWith('AsBrowser')
  return isCompressed ? `${verdict}, compressed` : verdict
}

function redirectsOf({ redirects }: ComparedStream, width: number): string[] {
  return redirects.map(
    ({ status, to }) => `        ${printable(`redirected (${status}) to ${to}`, width - 8)}`,
  )
}

/** Returns the status, the type and the coding of an answer. */
export function answerIn({ status, type, coding, problem }: ComparedStream): string {
  if (status === undefined) return problem ? 'none' : 'nothing yet'
  const media = (type ?? 'no type').split(';')[0]!
  return printable([`${status} ${media}`, ...(coding ? [coding] : [])].join(', '), 26)
}

function problemLines({ streams }: Comparison, width: number): string[] {
  const pairs = [
    ['The direct address', streams.direct.problem ?? streams.directAsBrowser.problem],
    ['The public address', streams.publicAsBrowser.problem ?? streams.public.problem],
  ] as const
  const lines = pairs.flatMap(([who, problem]) =>
    problem ? paragraph(`${who} is no stream: ${problem}.`, { width }) : [],
  )
  return lines.length > 0 ? ['', ...lines] : []
}

function verdictLines(comparison: Comparison, width: number): string[] {
  const { verdict, cause } = comparison
  if (!verdict || !cause) return []
  const way = judgedWay(comparison)
  return [
    '',
    ...paragraph(
      `Verdict: ${verdictIn(way, comparison)}. In the words of lesson 4: ${MEANINGS[verdict]}.`,
      {
        width,
      },
    ),
    ...paragraph(seenIn(comparison), { width, indent: 2 }),
    ...(cause.where === 'nowhere' ? [] : ['']),
    ...paragraph(`${cause.where === 'nowhere' ? '' : 'Cause: '}${cause.text}`, {
      width,
      indent: cause.where === 'nowhere' ? 2 : 0,
    }),
    ...(cause.lines.length > 0
      ? [
          'Change one of these lines, the likeliest first:',
          ...columns(
            cause.lines.map(({ program, line }) => [program, line]),
            { width },
          ),
        ]
      : []),
  ]
}

/** Says what was seen at the public address, and how often. */
export function seenIn(comparison: Comparison): string {
  const { streams, unit } = comparison
  const way = judgedWay(comparison)
  return countsIn(streams[way].judgement!, unit) + headIn(streams, way)
}

/** Returns the way of asking on which the verdict was passed. */
export function judgedWay({ streams }: Comparison): Way {
  return streams.publicAsBrowser.judgement ? 'publicAsBrowser' : 'public'
}

function countsIn({ late, of, missing, lateAboveMs, delays }: Judgement, unit: string): string {
  const limit = duration(lateAboveMs)
  const events = counted(of, unit)
  if (!delays) return `None of ${events} arrived while it was watched.`
  if (late === 0)
    return `${of} of ${events} arrived within ${limit} of the direct address (${range(delays)}).`
  const lost = missing > 0 ? `, and ${missing} did not arrive while it was watched` : ''
  return `${late - missing} of ${events} arrived more than ${limit} after the direct address had them (${range(delays)})${lost}.`
}

function headIn(streams: Comparison['streams'], way: Way): string {
  const { headMs, judgement } = streams[way]
  if (headMs === undefined) return ' The head did not arrive.'
  const later = headMs - (streams.direct.headMs ?? 0)
  const isWorthSaying = judgement!.verdict === 'head waits' || later > judgement!.lateAboveMs
  return isWorthSaying ? ` The head took ${duration(later)} longer.` : ''
}
