/** Describes in words why a request has failed, as the rest of a sentence whose subject is the address. */
export function failureText(
  error: Error,
  { host, protocol }: Pick<URL, 'host' | 'protocol'>,
): string {
  const { code = '' } = error as NodeJS.ErrnoException
  if (code === 'ECONNREFUSED') return `nothing listens at ${host}`
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return `the name in ${host} does not resolve`
  if (code === 'ECONNRESET') return 'the connection was reset before the response'
  if (code === 'ETIMEDOUT' || code === 'EHOSTUNREACH' || code === 'ENETUNREACH') {
    return `${host} cannot be reached`
  }
  if (code === 'EPROTO' && protocol === 'https:') return `${host} does not speak TLS`
  if (/CERT|SELF_SIGNED|VERIFY/.test(code)) {
    return `the certificate is not trusted (${code}); the word insecure accepts it`
  }
  if (code.startsWith('HPE_')) return `${host} does not answer in HTTP/1.1`
  // Node reports several failed addresses of one name without a message.
  return error.message || code || 'the request failed'
}
