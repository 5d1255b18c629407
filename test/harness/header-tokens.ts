/**
 * Returns whether a header such as `Cache-Control` or `Vary` lists one of the tokens, in upper or lower case. A token
 * with a value is a different token: `no-cache="set-cookie"` is not `no-cache`.
 *
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-5.6.1
 */
export function hasToken(list: string | undefined, ...tokens: string[]): boolean {
  const all = (list ?? '').split(',').map((token) => token.trim().toLowerCase())
  return tokens.some((token) => all.includes(token))
}
