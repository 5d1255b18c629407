import type { Problem } from '../lessons/args.ts'

/** The parsed words after `npm run wire`, if they ask about one or two addresses. */
export type HopsArgs = {
  /** The address to report on, or the address of the app itself. */
  direct: URL
  /** The address that the users of the app know. Absent for a report on one address. */
  public?: URL
  watch: Watch
  /** Whether to accept certificates that this machine does not trust. */
  isInsecure: boolean
  /** Whether to print JSON instead of a text. */
  isJson: boolean
  /** Whether to serve the comparison of two addresses as a page. */
  isPage: boolean
  /** Further request headers, such as `Authorization`. They are never printed. */
  headers: Record<string, string>
}

/** The bounds of a watch: it ends after so many milliseconds or so many events, whichever is first. */
export type Watch = { ms: number; events: number }

/**
 * Parses the words of `npm run wire DIRECT PUBLIC` and `npm run wire report URL`, such as `30s`, `50 events`, `json`, `page`
 * and `insecure`, in any order. Returns undefined if the words ask for the live wire of one server.
 */
export function hopsArgs(args: string[]): HopsArgs | Problem | undefined {
  const words = args.filter((word) => word !== '')
  const isReport = words[0]?.toLowerCase() === 'report'
  if (isReport) words.shift()
  else if (words.filter(isAddress).length < 2) return undefined

  const watch = { ...DEFAULT_WATCH }
  const parsed: Omit<HopsArgs, 'direct'> = {
    watch,
    isInsecure: false,
    isJson: false,
    isPage: false,
    headers: {},
  }
  const urls: URL[] = []
  for (let word = words.shift(); word !== undefined; word = words.shift()) {
    const duration = /^(\d+(?:\.\d+)?)(ms|s|m)$/i.exec(word)
    const header = /^([\w-]+):\s+(.*)$/.exec(word)
    if (duration) {
      watch.ms = Number(duration[1]) * MS_PER[duration[2]!.toLowerCase() as keyof typeof MS_PER]
    } else if (/^\d+$/.test(word) && /^events?$/i.test(words[0] ?? '')) {
      words.shift()
      watch.events = Number(word)
    } else if (/^json$/i.test(word)) parsed.isJson = true
    else if (/^insecure$/i.test(word)) parsed.isInsecure = true
    else if (/^page$/i.test(word)) parsed.isPage = true
    else if (header) parsed.headers[header[1]!] = header[2]!
    else if (!isAddress(word)) {
      return {
        problem: `"${word}" is not a word that npm run wire knows here. It knows 30s, 50 events, json, page and insecure.`,
      }
    } else {
      const url = parseAddress(word)
      if ('problem' in url) return url
      urls.push(url)
    }
  }
  const [direct, ...others] = urls
  if (isReport && (!direct || others.length > 0)) {
    return { problem: `Name one address to report on. For example: ${REPORT_EXAMPLE}` }
  }
  if (isReport && parsed.isPage) {
    return { problem: 'Only the comparison of two addresses has a page. Leave out the word page.' }
  }
  if (others.length > 1) {
    return {
      problem: `Name two addresses: your app's own, and the one that its users know. For example: ${COMPARE_EXAMPLE}`,
    }
  }
  if (!(watch.ms > 0 && watch.ms <= LONGEST_MS && watch.events > 0)) {
    return { problem: 'Watch for at least one event, and for at most 10 minutes: 30s, 50 events.' }
  }
  return { ...parsed, direct: direct!, ...(others[0] && { public: others[0] }) }
}

/** Returns whether a word is an address, and not one of the words that say how to watch. */
function isAddress(word: string): boolean {
  const isDurationOrHeader = /^\d+(?:\.\d+)?(?:ms|s|m)$|^[\w-]+:\s/i.test(word)
  return !isDurationOrHeader && /[.:/]|^localhost$/i.test(word)
}

function parseAddress(word: string): URL | Problem {
  // Without this, `localhost:8080` would be parsed as a URL with the scheme `localhost:`.
  const text = /^[a-z][a-z0-9+.-]*:\/\//i.test(word) ? word : `http://${word}`
  if (!URL.canParse(text)) {
    return { problem: `"${word}" is not a valid URL. For example: ${COMPARE_EXAMPLE}` }
  }
  const url = new URL(text)
  if (url.protocol === 'http:' || url.protocol === 'https:') return url
  return { problem: `The URL must begin with http:// or https://, got "${word}".` }
}

const DEFAULT_WATCH: Watch = { ms: 10_000, events: 20 }
const LONGEST_MS = 600_000
const MS_PER = { ms: 1, s: 1000, m: 60_000 }

const COMPARE_EXAMPLE = 'npm run wire http://127.0.0.1:3104/events https://tremor.example/events'
const REPORT_EXAMPLE = 'npm run wire report https://tremor.example/events'
