import { execFile, execFileSync } from 'node:child_process'
import { createServer } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { promisify } from 'node:util'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { curlCommand, curlOf, type CopiedRequest } from '../../protocol/curl.ts'
import { quote, shellOn } from '../../protocol/shell.ts'
import { listenOnFreePort } from '../../wire/listen.ts'

const run = promisify(execFile)
const isWindows = process.platform === 'win32'

test('a platform has its shell', () => {
  expect(['win32', 'Win32', 'linux', 'MacIntel', 'darwin', ''].map(shellOn)).toEqual([
    'PowerShell',
    'PowerShell',
    'POSIX',
    'POSIX',
    'POSIX',
    'POSIX',
  ])
})

// There is no sh on Windows.
describe.skipIf(isWindows)('in a real sh', () => {
  test('every argument arrives unchanged', () => {
    const argument = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom(...`'"\\$\`!&?;|<>()[]{}*~#= \t\n%-aé`) }),
    )
    fc.assert(
      fc.property(fc.array(argument, { minLength: 1, maxLength: 100 }), (drawn) => {
        // A program cannot receive NUL in an argument, or half of a character.
        const args = drawn.map((each) => each.replace(/\0|\p{Surrogate}/gu, ''))
        const words = args.map((each) => quote(each, 'POSIX')).join(' ')
        const printed = execFileSync('sh', ['-c', `printf '%s\\0' ${words}`])
        expect(printed.toString().split('\0').slice(0, -1)).toEqual(args)
      }),
      { numRuns: 20 },
    )
  })

  test.each([
    '/a?b=1&c=2;d',
    "/it's?x='y'",
    '/a%20b?c=%26',
    '/$HOME/`id`?a=$(id)&b=!x',
    '/glob?a=[1-3]&b={x,y}',
    '/?q=(a|b)<c>#d',
  ])('curl asks for %s as it is', async (path) => {
    const { command, received } = await sentBy((url) => ({
      command: curlCommand({ url: `${url}${path}` }, 'POSIX'),
    }))
    expect(received.url, command).toBe(path.split('#')[0])
  })

  test.each([
    ['JSON', Buffer.from('{"quote":"it\'s $HOME\\n"}')],
    ['text in several lines', Buffer.from('@a\r\nb\n\n')],
    ['bytes that are not text', Buffer.from(Array.from({ length: 256 }, (_, byte) => byte))],
  ])('curl sends a copied request with %s', async (_case, body) => {
    const headers = [
      { name: 'X-Empty', value: '' },
      { name: 'X-Twice', value: '"a"; $b' },
      { name: 'X-Twice', value: "it's" },
      { name: 'Content-Length', value: String(body.length) },
    ]
    const { command, received } = await sentBy((url) =>
      copy({ url: `${url}/in?a=1&b`, headers, body }),
    )
    expect(command).toContain('curl -N -X PUT ')
    expect(received).toMatchObject({ method: 'PUT', url: '/in?a=1&b' })
    expect(received.body).toEqual(body)
    expect(received.raw).toContain('X-Empty')
    expect(received.headers).toMatchObject({ 'x-twice': `"a"; $b, it's` })
    expect(received.headers['content-type']).toBeUndefined()
  })
})

test('the command names only what curl does not do by itself', () => {
  const headers = [
    { name: 'Host', value: '127.0.0.1:3100' },
    { name: 'Connection', value: 'keep-alive' },
    { name: 'Accept-Encoding', value: 'gzip, br' },
    { name: 'Authorization', value: 'Bearer x' },
  ]
  expect(copy({ method: 'GET', headers, isStream: false })).toEqual({
    command: "curl --compressed -H 'Authorization: Bearer x' http://127.0.0.1:3100/",
  })
})

test('a body that does not fit is refused', () => {
  expect(copy({ body: Buffer.alloc(200_000, 'x') })).toEqual({
    problem: 'The body of this request is too long for a command.',
  })
  const bytes = Buffer.from([0])
  expect(curlOf({ ...REQUEST, body: bytes.toString('base64') }, 'PowerShell')).toHaveProperty(
    'problem',
  )
})

test.each([
  ['http://127.0.0.1:3100/x', 'http://127.0.0.1:3100/x'],
  ['http://127.0.0.1:3100/x?a=1&b=2', '"http://127.0.0.1:3100/x?a=1&b=2"'],
  ['/$HOME', "'/$HOME'"],
  ["it's $x", "'it''s $x'"],
  ['a’; calc', "'a’’; calc'"],
  ['{"a":1}', String.raw`'{\"a\":1}'`],
  [String.raw`a\"b c\ `.trimEnd(), String.raw`'a\\\"b c\\'`],
])('for PowerShell, %s becomes %s', (argument, quoted) => {
  expect(quote(argument, 'PowerShell')).toBe(quoted)
})

const REQUEST: CopiedRequest = {
  method: 'PUT',
  url: 'http://127.0.0.1:3100/',
  version: 'HTTP/1.1',
  headers: [],
  body: '',
  isStream: true,
}

function copy({ body, ...request }: Partial<Omit<CopiedRequest, 'body'>> & { body?: Buffer }) {
  return curlOf(
    { ...REQUEST, ...request, body: (body ?? Buffer.alloc(0)).toString('base64') },
    'POSIX',
  )
}

/** Runs a command in sh, and returns the request that a server received. */
async function sentBy(make: (url: string) => { command: string } | { problem: string }) {
  const received = {
    url: '',
    method: '',
    raw: [''],
    headers: {} as NodeJS.Dict<unknown>,
    body: Buffer.alloc(0),
  }
  const server = createServer(async (req, res) => {
    const { url = '', method = '', rawHeaders: raw, headers } = req
    const body = await buffer(req)
    Object.assign(received, { url, method, raw, headers, body })
    res.end('ok')
  })
  const port = await listenOnFreePort(server)
  try {
    const made = make(`http://127.0.0.1:${port}`)
    if ('problem' in made) throw new Error(made.problem)
    const { stdout } = await run('sh', ['-c', made.command], {
      env: { ...process.env, http_proxy: '' },
    })
    expect(stdout).toBe('ok')
    return { command: made.command, received }
  } finally {
    server.close()
  }
}
