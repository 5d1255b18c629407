import type { Exchange } from '../../../../wire/exchange.ts'

/**
 * Returns a test for the requests that match every word of a filter. A word is a part of the method, the path, the host or
 * the media type, or one of these: `200` or `5xx` for the status, `open`, and `failed`.
 */
export function matcher(filter: string): (exchange: Exchange) => boolean {
  const tests = filter.toLowerCase().split(/\s+/).filter(Boolean).map(testOf)
  return (exchange) => tests.every((matches) => matches(exchange))
}

function testOf(word: string): (exchange: Exchange) => boolean {
  if (word === 'open') return ({ endedAt }) => endedAt === undefined
  if (word === 'failed') return ({ isFailure }) => isFailure
  if (/^[1-5](\d\d|xx)$/.test(word)) {
    const isThis = (status: number): boolean =>
      word.endsWith('xx') ? String(status)[0] === word[0] : String(status) === word
    return ({ status = 0, interim }) => isThis(status) || interim.some(isThis)
  }
  return (exchange) => textOf(exchange).includes(word)
}

function textOf({ method, target, host, type, protocol }: Exchange): string {
  return [method, host, target, type, protocol].join(' ').toLowerCase()
}
