import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parseConf, writeConf } from '../../workshop/grader/nginx-conf.ts'
import { nginxFor, type NginxForChecks } from '../../workshop/grader/nginx.ts'
import { ROOT } from '../../workshop/root.ts'
import { nginx } from '../../workshop/tools/proxies.ts'

// Tests that a submitted nginx.conf cannot read or write the instructor's files.

const PASS = 'proxy_pass http://$tremor;'

describe('the syntax of nginx.conf', () => {
  test.for([
    { text: 'a b;# } ;\nc;', names: ['a b', 'c'] },
    { text: 'a\tb\r\n;', names: ['a b'] },
    { text: `a "b ; { \\"c" 'd # \\'e';`, names: ['a|b ; { "c|d # \'e'] },
    { text: 'a \\.b$ \\; c#d ${e}f;', names: ['a|\\.b$|\\;|c#d|${e}f'] },
    { text: '# a comment\r still a comment\nb;', names: ['b'] },
    { text: 'if ($a = "b c") { d; }', names: ['if|($a|=|b c|)'] },
  ])('$text', ({ text, names }) => {
    const read = parseConf(text)
    expect(read.map(({ name, args }) => [name, ...args])).toEqual(
      names.map((each) => each.split(each.includes('|') ? '|' : ' ')),
    )
    expect(parseConf(writeConf(read))).toEqual(read)
  })

  test.for([
    { text: 'a {\nb;', says: 'unexpected end of file, expecting "}" in nginx.conf:2' },
    { text: 'a;\n}', says: 'unexpected "}" in nginx.conf:2' },
    { text: 'a b }', says: 'unexpected "}" in nginx.conf:1' },
    { text: 'a "b', says: 'unexpected end of file, expecting ";" or "}" in nginx.conf:1' },
    { text: 'a "b"c;', says: 'unexpected "c" in nginx.conf:1' },
    { text: '\n;', says: 'unexpected ";" in nginx.conf:2' },
    {
      text: 'map $a $b {\n include\0x /etc/passwd; }',
      says: 'unexpected NUL character in nginx.conf:2',
    },
    { text: 'a {'.repeat(100_000), says: 'unexpected "{" in nginx.conf:1' },
  ])('$says', ({ text, says }) => {
    expect(() => parseConf(text)).toThrow(says)
  })

  test('every nginx.conf of the workshop keeps its meaning and its lines', () => {
    const files = ['solutions', 'lessons', 'test/variants']
      .flatMap((folder) =>
        readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true }),
      )
      .filter(({ name }) => name === 'nginx.conf')
    expect(files.length).toBeGreaterThan(7)
    for (const { parentPath, name } of files) {
      const read = parseConf(readFileSync(join(parentPath, name), 'utf8'))
      expect(parseConf(writeConf(read))).toEqual(read)
    }
  })
})

describe.skipIf(!nginx.find())('an nginx.conf of somebody else', () => {
  const before = process.env.TMPDIR
  let folder: string
  let running: NginxForChecks | undefined
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'nginx-limits-'))
    chmodSync(folder, 0o777)
    process.env.TMPDIR = folder
  })
  afterEach(async () => {
    await running?.stop()
    running = undefined
    if (before === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = before
    rmSync(folder, { recursive: true, force: true })
  })

  test.for([
    'root /etc',
    'alias /etc/',
    'autoindex on',
    'access_log OUT/access.log',
    '"access_log" OUT/access.log',
    'error_log OUT/error.log',
    'include /etc/passwd',
    'include "listen.conf\\t/etc/passwd"',
    'client_body_temp_path OUT/body',
    'proxy_temp_path OUT/proxy',
    'proxy_store OUT/stored',
    'proxy_cache zone',
    'dav_methods PUT DELETE',
    'ssi on',
    'auth_basic_user_file /etc/passwd',
    'fastcgi_pass unix:/run/php.sock',
    'proxy_pass http://unix:/var/run/docker.sock:/',
    'proxy_pass http://$host',
    'proxy_pass http://example.org',
    'proxy_pass http://127.0.0.1:$arg_port',
    'proxy_pass http://${tremor}0',
    'set $tremor unix:/var/run/docker.sock',
    'set $TREMOR unix:/var/run/docker.sock',
    'if ($uri ~ (?<tremor>.+)) { break; }',
  ])('cannot use %s', async (directive) => {
    const written = directive.replace('OUT', folder)
    const end = written.endsWith('}') ? '' : ';'
    const { problem } = await portsOf(
      `server { include listen.conf; location / {\n${written}${end} } }`,
    )
    const name = /^"?(\w+)/.exec(directive)![1]
    expect(problem).toMatch(
      new RegExp(
        `^Line 2 of your nginx.conf uses the directive "${name}" in a way that the grader does not allow. .+\\.$`,
      ),
    )
    expect(readdirSync(folder).filter((each) => !each.startsWith('workshop-proxy-'))).toEqual([
      '04-buffering',
    ])
  })

  test.for([
    ['upstream evil { server unix:/var/run/docker.sock; }', 'upstream'],
    ['map $uri $file { include /etc/passwd; }', 'include'],
    ['proxy_cache_path /tmp/cache keys_zone=a:1m;', 'proxy_cache_path'],
    ['ssl_certificate /etc/ssl/key.pem;', 'ssl_certificate'],
    ['types { include /etc/passwd; }', 'include'],
    ['map $uri $tremor { default unix:/var/run/docker.sock; }', 'map'],
  ])('cannot use %s', async ([directive, name]) => {
    const { problem } = await portsOf(
      `${directive}\nserver { include listen.conf; location / { ${PASS} } }`,
    )
    expect(problem).toContain(`Line 1 of your nginx.conf uses the directive "${name}" in a way`)
  })

  test.for([
    ['load_module /tmp/evil.so;', '"load_module" directive is not allowed here in nginx.conf:2'],
    ['user root;', '"user" directive is not allowed here in nginx.conf:2'],
    ['x_accel_buffering no;', 'unknown directive "x_accel_buffering" in nginx.conf:2'],
    ['http { user root; }', '"http" directive is not allowed here in nginx.conf:2'],
  ])("nginx's own message is kept: %s", async ([line, says]) => {
    const { problem } = await portsOf(
      `gzip on;\n${line}\nserver { include listen.conf; location / { ${PASS} } }`,
    )
    expect(problem).toBe(`nginx did not start with your nginx.conf. It says: ${says}`)
  })

  test('a location without proxy_pass serves no file', async () => {
    const { ofWork } = await portsOf(
      'server { include listen.conf; location / { rewrite ^ /../../../../../../etc/passwd break; } }',
    )
    const response = await fetch(`http://127.0.0.1:${ofWork}/`)
    expect(response.status).toBe(404)
    expect(await response.text()).not.toContain('root:')
  })

  test('an nginx that answers endlessly does not stop the grading', async () => {
    const { settings, problem } = await portsOf(
      `server { include listen.conf; limit_rate 1; location / { return 200 "${'slow '.repeat(100)}"; } }`,
    )
    expect({ settings, problem }).toEqual({ settings: undefined, problem: undefined })
  })

  test.skipIf(process.getuid?.() !== 0)('is run by another user, if root grades', async () => {
    await portsOf(`server { include listen.conf; location / { ${PASS} } }`)
    const owners = readdirSync(folder)
      .filter((name) => name.startsWith('workshop-proxy-'))
      .map((name) => join(folder, name))
      .filter((path) => readdirSync(path).includes('listen.conf'))
      .map((path) => statSync(join(path, 'nginx.pid')).uid)
    expect(owners.length).toBeGreaterThan(0)
    expect(owners).not.toContain(0)
    await running?.stop()
    const left = readdirSync(folder).filter((name) =>
      readdirSync(join(folder, name)).includes('listen.conf'),
    )
    expect(left).toEqual([])
  })

  async function portsOf(conf: string): Promise<NginxForChecks['ports']> {
    mkdirSync(join(folder, '04-buffering'), { recursive: true })
    writeFileSync(join(folder, '04-buffering', 'nginx.conf'), conf)
    running = await nginxFor(4, folder)
    return running.ports
  }
})
