/** A program between server and client that can be recognised by the headers that it adds. */
export type HopName =
  | 'nginx'
  | 'Apache'
  | 'Caddy'
  | 'Varnish'
  | 'Envoy'
  | 'Cloudflare'
  | 'CloudFront'
  | 'Fastly'

/** A hop, and the header by which it was recognised. */
export type Recognised = { name: HopName; by: string }

/**
 * Recognises the hops between two addresses: by headers that the public address sends, but the direct address does not,
 * because the app may be a server of the same kind. HAProxy, Traefik and Vite add no header of their own.
 */
export function recogniseHops(
  publicHeaders: Record<string, string>,
  directHeaders: Record<string, string> = {},
): Recognised[] {
  return SIGNS.flatMap(({ name, header, value }) => {
    const seen = publicHeaders[header]
    if (seen === undefined || !value.test(seen) || seen === directHeaders[header]) return []
    return [{ name, by: `${header}: ${seen}` }]
  }).filter(({ name }, n, all) => all.findIndex((each) => each.name === name) === n)
}

const SIGNS: { name: HopName; header: string; value: RegExp }[] = [
  { name: 'Cloudflare', header: 'cf-ray', value: /./ },
  { name: 'Cloudflare', header: 'server', value: /^cloudflare/i },
  { name: 'CloudFront', header: 'x-amz-cf-id', value: /./ },
  { name: 'CloudFront', header: 'via', value: /cloudfront/i },
  // Fastly is built on Varnish, and says "varnish" as well.
  { name: 'Fastly', header: 'x-served-by', value: /^cache-/i },
  { name: 'Varnish', header: 'x-varnish', value: /./ },
  { name: 'Varnish', header: 'via', value: /varnish \(/i },
  { name: 'Caddy', header: 'via', value: /caddy/i },
  { name: 'Caddy', header: 'server', value: /^caddy/i },
  { name: 'nginx', header: 'server', value: /^(?:nginx|openresty)/i },
  { name: 'Apache', header: 'server', value: /^apache/i },
  { name: 'Envoy', header: 'server', value: /envoy/i },
]
