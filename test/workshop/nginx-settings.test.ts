import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { nginxFor, type NginxForChecks } from '../../workshop/grader/nginx.ts'
import { nginx } from '../../workshop/tools/proxies.ts'

// The settings for /events in an nginx.conf of lesson 4, as nginx itself reports them.

let sandbox: string
let running: NginxForChecks | undefined
beforeEach(() => {
  sandbox = mkdtempSync(join(tmpdir(), 'nginx-settings-'))
})
afterEach(async () => {
  await running?.stop()
  running = undefined
  rmSync(sandbox, { recursive: true, force: true })
})

const PASS = 'proxy_pass http://$tremor;'

describe.skipIf(!nginx.find())('the settings of an nginx.conf', () => {
  test.for([
    { what: 'nobody says anything', conf: server(`location / { ${PASS} }`), settings: {} },
    {
      what: 'of the server that listens, not of the first one',
      conf: `server { listen 80; listen [::]:80 default_server; proxy_read_timeout 1s; }
        ${server(`proxy_read_timeout "1m 30s"; location / { ${PASS} proxy_buffering off; }`)}`,
      settings: { readTimeout: '1m 30s', buffering: 'off' },
    },
    {
      what: 'of a named location',
      conf: server(`
        location = /events { error_page 418 = @stream; return 418; proxy_read_timeout 1d; }
        location @stream { ${PASS} proxy_read_timeout 2m; }`),
      settings: { readTimeout: '2m' },
    },
    {
      what: 'of a pattern that only PCRE knows, and inherited by a location inside',
      conf: server(`
        location ~ ^(?>/events)$ { proxy_read_timeout 3m; location ~* EVENTS { ${PASS} } }
        location / { ${PASS} proxy_buffering off; }`),
      settings: { readTimeout: '3m' },
    },
    {
      what: 'not those in comments',
      conf: server(`location / { ${PASS} proxy_read_timeout 5m; # proxy_read_timeout 6m;
        }`),
      settings: { readTimeout: '5m' },
    },
    {
      what: 'nobody knows: a directive of ours is there already',
      conf: server(`location / { ${PASS} proxy_method GET; }`),
      settings: undefined,
    },
    {
      what: 'nobody knows: nginx answers by itself',
      conf: server('location / { return 204; }'),
      settings: undefined,
    },
  ])('$what', async ({ conf, settings }) => {
    expect((await ports(conf)).settings).toEqual(settings)
  })

  test('an invalid file, and one without the listen line, are reported', async () => {
    expect(await ports('server { include listen.conf; nonsense; }')).toMatchObject({
      problem: expect.stringContaining('unknown directive "nonsense"'),
    })
    expect(await ports('server { listen 80; }')).toMatchObject({
      problem: 'No server of your nginx.conf has the line include listen.conf; in it.',
    })
  })
})

function server(inside: string): string {
  return `server { include listen.conf; ${inside} }`
}

async function ports(conf: string): Promise<NginxForChecks['ports']> {
  const folder = join(sandbox, '04-buffering')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'nginx.conf'), conf)
  await running?.stop()
  running = await nginxFor(4, sandbox)
  return running.ports
}
