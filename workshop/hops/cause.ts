import type { MeasuredVerdict } from '../../protocol/experiment.ts'
import type { HopName, Recognised } from './recognise.ts'

/** The verdicts on one stream, asked for in several ways, and the headers that came with it. */
export type Findings = {
  /** The verdict on the app itself, for a client that accepts compression. */
  directAsBrowser: MeasuredVerdict | undefined
  /** The verdicts on the public address, without and with compression. */
  publicPlain: MeasuredVerdict | undefined
  publicAsBrowser: MeasuredVerdict | undefined
  /** The `Content-Encoding` for a client that accepts compression. */
  directCoding: string | undefined
  publicCoding: string | undefined
  /** The hops that have left a header, the outermost first. */
  hops: Recognised[]
  /** The path of the stream, such as `/events`. */
  path: string
  /** Whether the app sends `X-Accel-Buffering: no`. */
  saysUnbuffered: boolean
  /** Whether the app sends `Cache-Control: no-transform`. */
  saysNoTransform: boolean
}

/** The likely cause of a delay, and the lines to change. */
export type Cause = {
  where: 'app' | 'hop' | 'nowhere'
  /** Whether a compressor causes the delay. */
  isCompressed: boolean
  /** A sentence. It says "likely", because other causes can look the same. */
  text: string
  /** The lines to change, the most likely first. */
  lines: Line[]
}

/** A line, and the program to whose configuration or code it belongs. */
export type Line = { program: string; line: string }

/** Names the likely cause, as "Find the hop" in lesson 4 does: the first way of asking in which events are late shows the place. */
export function causeOf(findings: Findings): Cause {
  const { directAsBrowser, directCoding, publicPlain, publicAsBrowser } = findings
  // Without a coding, only the app's own timer differs between two connections. A head that is held hides the coding.
  if (directAsBrowser === 'holds' || (isDelayed(directAsBrowser) && directCoding)) {
    return compressingApp(findings)
  }
  if (isWorseCompressed(findings)) return compressingHop(findings)
  if (isDelayed(publicPlain)) return bufferingHop(publicPlain, findings)
  if (isDelayed(publicAsBrowser)) return bufferingHop(publicAsBrowser, findings)
  return {
    where: 'nowhere',
    isCompressed: false,
    text: 'No hop delayed the stream while it was watched.',
    lines: [],
  }
}

/** Returns whether only a client that accepts compression has to wait. */
function isWorseCompressed({ publicPlain, publicAsBrowser }: Findings): boolean {
  if (!isDelayed(publicAsBrowser)) return false
  return (
    publicPlain === 'passes' || (publicPlain === 'head waits' && publicAsBrowser !== 'head waits')
  )
}

function isDelayed(verdict: MeasuredVerdict | undefined): verdict is Delay {
  return verdict !== undefined && verdict !== 'passes'
}

type Delay = Exclude<MeasuredVerdict, 'passes'>

function compressingApp({ directCoding, saysNoTransform }: Findings): Cause {
  return {
    where: 'app',
    isCompressed: true,
    text: directCoding
      ? `The app itself likely delays the stream, because it compresses it: it answers with ${directCoding} at its own address, and the compressor waits for more input.`
      : 'The app itself likely delays the stream, because only a client that accepts compression has to wait at its own address.',
    lines: [
      { program: 'the app', line: 'res.flush() after each res.write(), with compression()' },
      ...(saysNoTransform ? [] : [NO_TRANSFORM]),
    ],
  }
}

function compressingHop(findings: Findings): Cause {
  const { publicCoding, publicPlain } = findings
  const coding = publicCoding ? ` as ${publicCoding}` : ''
  const plain =
    publicPlain === 'passes'
      ? 'without compression, the events are on time'
      : 'without compression, only the head waits'
  return {
    where: 'hop',
    isCompressed: true,
    text: `${hopIn(findings)} likely compresses the stream${coding}, and the compressor waits for more input: ${plain}.`,
    lines: linesFor(
      findings,
      [compressionLines(findings.path), ...(publicPlain === 'passes' ? [] : [BUFFER])],
      [...accelBuffering(findings), ...noTransform(findings)],
    ),
  }
}

function bufferingHop(verdict: Delay, findings: Findings): Cause {
  const { directCoding, publicCoding, path } = findings
  const hop = `${hopIn(findings)} likely`
  const compresses = publicCoding !== undefined && directCoding === undefined
  const texts: Record<Delay, string> = {
    holds: compresses
      ? `${hop} compresses the stream as ${publicCoding}, or collects it in a buffer: it arrives when the buffer is full or the response ends.`
      : `${hop} collects the stream in a buffer, and passes it on when the buffer is full or the response ends.`,
    'head waits': `${hop} sends the head only together with the first byte of the body.`,
    late: 'A hop likely waits for a timer before it passes on what it has. HAProxy does so for about 200 milliseconds, and adds no header that would show it.',
    behind: `${hop} keeps each piece until the next one arrives, for example because an event is larger than its buffer.`,
  }
  const general = verdict === 'late' ? [] : accelBuffering(findings)
  return {
    where: 'hop',
    isCompressed: compresses && verdict === 'holds',
    text: texts[verdict],
    lines: linesFor(
      findings,
      [
        ...(compresses && verdict === 'holds' ? [compressionLines(path)] : []),
        verdict === 'late' ? TIMER : BUFFER,
      ],
      [...general, ...(verdict === 'head waits' ? [FIRST_BYTE] : [])],
    ),
  }
}

function hopIn({ hops, saysUnbuffered }: Findings): string {
  const [hop] = hops
  if (!hop) return 'A hop that adds no header of its own'
  // nginx obeys the header, unless an nginx before it has removed it, or it is told to ignore it.
  const obeys = hop.name === 'nginx' && saysUnbuffered
  return obeys ? 'A second nginx, or one that ignores X-Accel-Buffering,' : hop.name
}

/** Returns the lines for the hops that were recognised, or else for all programs that delay streams in this way. */
function linesFor({ hops }: Findings, tables: Lines[], general: Line[]): Line[] {
  const recognised = hops.flatMap(({ name }) =>
    tables.flatMap((lines) => {
      const line = lines[name]
      return line === undefined ? [] : [{ program: name as string, line }]
    }),
  )
  if (recognised.length > 0) return [...recognised, ...general]
  const others = tables.flatMap((lines) =>
    Object.entries(lines).map(([program, line]) => ({ program, line })),
  )
  return [...general, ...others]
}

type Lines = Partial<Record<HopName | 'HAProxy' | 'Traefik', string>>

/** The directives that switch buffering off. */
const BUFFER: Lines = {
  nginx: 'proxy_buffering off;',
  Caddy: 'flush_interval -1',
  Varnish: 'set beresp.do_stream = true;',
  // Over HTTP, Apache flushes by itself. Over FastCGI and AJP, it waits.
  Apache: 'ProxyPass … flushpackets=on',
}

/** The directives that switch a timer off. */
const TIMER: Lines = { HAProxy: 'option http-no-delay' }

/** Returns the directives that exclude a path or a type from compression. */
function compressionLines(path: string): Lines {
  return {
    nginx: 'gzip off;',
    Caddy: `@page not path ${path}   and   encode @page gzip`,
    Varnish: 'set beresp.do_gzip = false;',
    Apache: `SetEnvIf Request_URI "^${path}" no-gzip`,
    Traefik: 'excludedContentTypes: text/event-stream',
  }
}

const NO_TRANSFORM: Line = { program: 'the app', line: 'Cache-Control: no-store, no-transform' }

/** Returns the header that nginx and Cloudflare obey, unless the app sends it already or another hop is to blame. */
function accelBuffering({ hops, saysUnbuffered }: Findings): Line[] {
  if (saysUnbuffered || !mayBe(['nginx', 'Cloudflare'], hops)) return []
  return [{ program: 'the app', line: 'X-Accel-Buffering: no' }]
}

/** Returns the header that compression() and HAProxy obey, unless a hop was recognised that ignores it. */
function noTransform({ hops, saysNoTransform }: Findings): Line[] {
  if (saysNoTransform || !mayBe(['Cloudflare'], hops)) return []
  return [NO_TRANSFORM]
}

/** Returns whether one of the programs was recognised, or none at all. */
function mayBe(names: HopName[], hops: Recognised[]): boolean {
  return hops.length === 0 || hops.some(({ name }) => names.includes(name))
}

const FIRST_BYTE: Line = {
  program: 'the app',
  line: "res.write(':\\n\\n'), together with the head",
}
