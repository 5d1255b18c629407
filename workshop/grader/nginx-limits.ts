import { allDirectives, type Directive } from './nginx-conf.ts'

/** A directive that the grader does not pass on to nginx, and the reason. */
export type Refusal = { directive: Directive; why: string }

/**
 * Returns the first directive that the grader refuses. nginx runs with the instructor's rights, and has
 * directives that read, write and delete files, load code and connect to other programs. So only the directives on a
 * list are allowed.
 */
export function refusalOf(conf: Directive[]): Refusal | undefined {
  for (const { directive, parent } of allDirectives(conf)) {
    const why = hasEntries(parent) ? whyNoEntry(directive) : whyNot(directive)
    if (why) return { directive, why }
  }
  return undefined
}

function whyNot({ name, args }: Directive): string | undefined {
  if (!ALLOWED.has(name)) return NOT_ALLOWED
  if (args.some(capturesTremor)) return REDEFINES
  if (SETS_VARIABLE.includes(name) && args.some(isTremor)) return REDEFINES
  return RULES[name]?.(args)
}

/** Returns whether the block contains pairs of words instead of directives. */
function hasEntries(parent: Directive | undefined): boolean {
  return parent !== undefined && ['map', 'types'].includes(parent.name)
}

function whyNoEntry({ name, args }: Directive): string | undefined {
  if (name === 'include') return ONLY_LISTEN
  return [name, ...args].some(capturesTremor) ? REDEFINES : undefined
}

function isTremor(arg: string): boolean {
  return /^\$\{?tremor\b/i.test(arg)
}

/** Returns whether a regular expression has a group that sets the variable $tremor. */
function capturesTremor(pattern: string): boolean {
  return /\(\?P?['<]tremor['>]/i.test(pattern)
}

const NOT_ALLOWED =
  'The grader allows only directives that this lesson needs or that are usual for a proxy, and none that reads or writes files.'
const ONLY_LISTEN = 'The grader allows include only for listen.conf.'
const REDEFINES =
  'The variable $tremor is the address of your server, so the grader lets no file change it.'

const TO_TREMOR = /^http:\/\/(\$tremor|\$\{tremor\})(?=[/$]|$)/
/** A fixed port of this machine, to which the work could also connect without nginx. */
const TO_THIS_MACHINE = /^http:\/\/(127\.0\.0\.1|localhost)(:\d+)?(\/[^$]*)?$/

const SETS_VARIABLE = ['map', 'set']

/** The rules for the arguments of allowed directives. A rule returns the reason for a refusal. */
const RULES: Record<string, (args: string[]) => string | undefined> = {
  include: ([file]) => (file === 'listen.conf' ? undefined : ONLY_LISTEN),
  access_log: ([file]) =>
    file === 'off'
      ? undefined
      : 'The grader lets no nginx.conf write logs. It allows access_log off.',
  proxy_cache: ([zone]) =>
    zone === 'off'
      ? undefined
      : 'The grader lets no nginx.conf write a cache. It allows proxy_cache off.',
  proxy_pass: ([url = '']) =>
    TO_TREMOR.test(url) || TO_THIS_MACHINE.test(url)
      ? undefined
      : 'The grader lets nginx connect only to your server, whose address is http://$tremor.',
}

const ALLOWED = new Set(
  `
  server server_name listen include location internal map types default_type if set break return rewrite try_files
  index error_page recursive_error_pages allow deny satisfy limit_except limit_rate limit_rate_after limit_conn
  limit_conn_zone limit_conn_status limit_req limit_req_zone limit_req_status
  add_header add_trailer expires etag if_modified_since charset charset_types override_charset source_charset
  max_ranges absolute_redirect port_in_redirect server_name_in_redirect merge_slashes server_tokens
  underscores_in_headers ignore_invalid_headers real_ip_header real_ip_recursive set_real_ip_from
  access_log log_format log_not_found log_subrequest stub_status
  keepalive_timeout keepalive_requests keepalive_time keepalive_disable send_timeout reset_timedout_connection
  lingering_close lingering_time lingering_timeout sendfile sendfile_max_chunk tcp_nopush tcp_nodelay
  client_max_body_size client_body_buffer_size client_body_timeout client_header_buffer_size client_header_timeout
  large_client_header_buffers output_buffers postpone_output chunked_transfer_encoding msie_padding
  http2 http2_max_concurrent_streams types_hash_max_size types_hash_bucket_size server_names_hash_max_size
  server_names_hash_bucket_size map_hash_max_size map_hash_bucket_size variables_hash_max_size
  variables_hash_bucket_size proxy_headers_hash_max_size proxy_headers_hash_bucket_size
  gzip gzip_buffers gzip_comp_level gzip_disable gzip_http_version gzip_min_length gzip_proxied gzip_types gzip_vary
  gzip_static gunzip gunzip_buffers
  proxy_pass proxy_http_version proxy_buffering proxy_buffers proxy_buffer_size proxy_busy_buffers_size
  proxy_max_temp_file_size proxy_temp_file_write_size proxy_request_buffering proxy_limit_rate
  proxy_connect_timeout proxy_read_timeout proxy_send_timeout proxy_send_lowat proxy_socket_keepalive
  proxy_set_header proxy_hide_header proxy_pass_header proxy_pass_request_headers proxy_pass_request_body
  proxy_ignore_headers proxy_ignore_client_abort proxy_intercept_errors proxy_redirect proxy_method proxy_set_body
  proxy_cookie_domain proxy_cookie_path proxy_cookie_flags proxy_force_ranges
  proxy_next_upstream proxy_next_upstream_timeout proxy_next_upstream_tries
  proxy_cache proxy_cache_bypass proxy_no_cache
  `
    .trim()
    .split(/\s+/),
)
