/**
 * Whether one of the tokens is in a list such as that of `Cache-Control` or `Vary`, whatever its case. What has a
 * value is another one: `no-cache="set-cookie"` is not `no-cache`.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-5.6.1
 */
export function hasToken(list: string | undefined, ...tokens: string[]): boolean {
  const all = (list ?? '').split(',').map((token) => token.trim().toLowerCase())
  return tokens.some((token) => all.includes(token))
}
