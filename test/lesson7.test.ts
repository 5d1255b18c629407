import { getEventListeners } from 'node:events'
import type { Quake } from '#feed'
import { followStream } from '#work/07-filtered-stream/client.ts'
import { measured, type Measured, type Way } from '#work/07-filtered-stream/ways.ts'
import { measureAll } from '../lessons/07-filtered-stream/exhibit/measure.ts'
import { check, edgeCase, must, type Tools } from './harness/check.ts'
import { deepEqual } from './harness/equality.ts'
import { turns } from './harness/event-loop.ts'
import {
  accountOf,
  RULES,
  sendRequest,
  STREAM,
  type Account,
  type NewRule,
} from './harness/filtered/account.ts'
import { errorsOf, mustBeProblem, mustRefuse } from './harness/filtered/problems.ts'
import { quakesWith } from './harness/filtered/quake-source.ts'
import { describeMessage, RecordStream, rulesText } from './harness/filtered/record-stream.ts'
import { serveSource } from './harness/filtered/served-source.ts'
import type { Story } from './harness/failure.ts'
import { collectGarbage } from './harness/garbage.ts'
import { gate } from './harness/gate.ts'
import { hasToken } from './harness/header-tokens.ts'
import { consumeRequest, disconnect } from './harness/login.ts'
import { GET_FOR_HEAD } from './harness/methods.ts'
import {
  awkwardQuakes,
  describeQuake,
  largeQuakes,
  numberedQuakes,
  quakes,
} from './harness/quakes.ts'
import { ControlledClock } from './harness/reconnection/controlled-clock.ts'
import {
  followScripted,
  notGiven,
  recordOf,
  scriptedStream,
} from './harness/reconnection/follow-stream.ts'
import { waitForRequest } from './harness/reconnection/requests.ts'
import { counted } from './harness/reconnection/wording.ts'
import type { ScriptedServer } from './harness/scripted-server.ts'
import { excerpt, excerptJson, SILENT } from './harness/transcript.ts'

/** A rule that every quake matches. */
const ALL = 'magnitude > -10'

/** The `keepAliveMs` for checks that wait for keep-alives. */
const OFTEN = 2

// 7.1 Four ways to change what you watch

check('7.1a', 'measured() returns the numbers of the exhibit', async (t) => {
  const yours = measured()
  t.transcript.step('the exhibit runs again')
  const truth = await measureAll()
  for (const [way, figures] of Object.entries(truth) as [Way, Measured][]) {
    for (const name of ['connections', 'lost', 'twice'] as const) {
      const stated = yours?.[way]?.[name]
      must(stated === figures[name], {
        seen: `In ways.ts, measured() returned ${excerptJson(stated)} as "${name}" of "${way}", but the exhibit measured another number.`,
        expected: 'Expected the number in the table that `npm run lesson 7 exhibit` prints.',
      })
    }
  }
})

// 7.2 The rules

check('7.2a', 'a request without a known token gets 401', async (t) => {
  const { server, account } = await serveSource(t)
  const requests = [
    { method: 'GET', path: RULES },
    { method: 'POST', path: RULES, body: JSON.stringify({ add: [{ value: ALL }] }) },
    { method: 'GET', path: STREAM },
  ]
  for (const request of requests) {
    for (const authorization of [undefined, 'Bearer wrong', 'Bearer constructor']) {
      const headers = { ...(authorization && { Authorization: authorization }) }
      const answer = await sendRequest(t, server, { ...request, headers })
      const how = authorization ? `the header Authorization: ${authorization}` : 'no token'
      mustBeProblem(answer, 401, `${request.method} ${request.path} with ${how}`)
    }
  }
  const { data } = await account.list()
  must(data.length === 0, {
    seen: `POST ${RULES} without a known token got 401, but it added ${data.length} rules.`,
    expected: 'Expected a refused request to change nothing.',
  })
})

check('7.2b', 'an added rule gets an ID and appears in the list of rules', async (t) => {
  const { account } = await serveSource(t)
  const first = await account.list()
  must(first.data.length === 0 && Number.isInteger(first.version), {
    seen: `Before any change, GET ${RULES} was answered with ${excerptJson(first, 90)}`,
    expected: 'Expected an empty "data", and an integer as the "version" in "meta".',
  })
  const wanted: NewRule[] = [{ value: 'magnitude >= 4', tag: 'strong' }, { value: 'network:ci' }]
  const { data, meta } = await account.change({ add: wanted })
  const ids = data.map(({ id }) => id)
  must(ids.every((id) => typeof id === 'string' && id !== '') && new Set(ids).size === 2, {
    seen: `POST ${RULES} added two rules, and their IDs were ${excerptJson(ids)}.`,
    expected: 'Expected two different IDs that are strings.',
  })
  const told = data.map(({ value, tag }) => ({ value, ...(tag !== undefined && { tag }) }))
  must(deepEqual(told, wanted), {
    seen: `POST ${RULES} was answered with the "data" ${excerptJson(data, 120)}`,
    expected: `Expected the "value" and the "tag" of each added rule, in the order of the request: ${excerptJson(wanted, 120)}`,
  })
  const { version, added, deleted } = meta
  const summary = { version: first.version + 1, added: ids, deleted: [] }
  must(deepEqual({ version, added, deleted }, summary), {
    seen: `The version was ${first.version}. Then one request added two rules, and its answer had the "meta" ${excerptJson(meta, 120)}`,
    expected: `Expected ${excerptJson(summary, 120)}, because one request is one change.`,
  })
  await mustHaveRules(account, { data, version }, 'Two rules were added')
})

check('7.2c', 'a request with one invalid rule is refused as a whole', async (t) => {
  const { account } = await serveSource(t)
  const { data, meta } = await account.change({ add: [{ value: ALL }] })
  for (const [value, column] of [
    ['magnitude >> 4', 12],
    ['-network:ci', 1],
    ['network:ci city:Hilo', 12],
  ] as const) {
    const add = [{ value: 'network:us' }, { value }, { value: 'network:ak' }]
    const answer = await account.post({ add, delete: { ids: [data[0]!.id] } })
    mustBeProblem(answer, 400, `POST ${RULES} with the invalid rule "${value}"`)
    const error = errorsOf(answer).find((each) => each.value === value)
    must(error?.column === column, {
      seen: `The rule "${value}" is invalid in column ${column}, and the "errors" of the problem were ${excerptJson(answer.json.errors, 120)}`,
      expected: `Expected an error with the "value" ${excerptJson(value)} and the "column" ${column}.`,
    })
    await mustHaveRules(
      account,
      { data, version: meta.version },
      `A request with the invalid rule "${value}" was refused`,
      'your handler applies part of the change before it has checked the rest. Check everything first.',
    )
  }
})

check('7.2d', 'a change with duplicates, unknown IDs or too many rules is refused', async (t) => {
  const { account } = await serveSource(t, { maxRules: 5 })
  const { data, meta } = await account.change({ add: [{ value: ALL }, { value: 'network:ci' }] })
  const ids = data.map(({ id }) => id)
  const fresh = { value: 'network:us' }
  const cases: { what: string; body: unknown; error?: { value: string } | { id: string } }[] = [
    {
      what: 'a rule that the account already has',
      body: { add: [fresh, { value: ALL, tag: 'again' }] },
      error: { value: ALL },
    },
    { what: 'the same rule twice', body: { add: [fresh, fresh] }, error: fresh },
    {
      what: 'an unknown ID',
      body: { add: [fresh], delete: { ids: [ids[0], 'no-such-rule'] } },
      error: { id: 'no-such-rule' },
    },
    {
      what: 'more rules than maxRules allows',
      body: { add: ['us', 'ak', 'nn', 'hv'].map((network) => ({ value: `network:${network}` })) },
    },
  ]
  for (const { what, body, error } of cases) {
    const answer = await account.post(body)
    mustBeProblem(answer, 400, `POST ${RULES} with ${what}`)
    const errors = errorsOf(answer)
    must(
      errors.some((each) => deepEqual({ ...each, ...error }, each)),
      {
        seen: `POST ${RULES} with ${what} was refused, and the "errors" of the problem were ${excerptJson(answer.json.errors, 120)}`,
        expected: `Expected one of the errors to have ${error ? excerptJson(error) : 'a "detail"'}.`,
      },
    )
    await mustHaveRules(
      account,
      { data, version: meta.version },
      `A request with ${what} was refused`,
    )
  }
  await account.change({ add: [fresh] })
})

check('7.2e', 'a deletion and an addition in one request are one change', async (t) => {
  const { account } = await serveSource(t, { maxRules: 2 })
  const before = await account.change({
    add: [{ value: ALL, tag: 'old' }, { value: 'network:ci' }],
  })
  const [replaced, kept] = [before.data[0]!, before.data[1]!]
  const { status, text, json } = await account.post({
    add: [{ value: ALL, tag: 'new' }],
    delete: { ids: [replaced.id] },
  })
  must(status === 200, {
    seen: `maxRules was 2. An account with 2 rules deleted a rule and added it again with another tag in one request. The answer had status ${status} and the body ${excerpt(text, 90)}`,
    expected: 'Expected status 200, because afterwards there are 2 rules again.',
    often: 'your handler checks the additions against rules that the same request deletes.',
  })
  const { version, deleted } = json.meta
  must(version === before.meta.version + 1 && deepEqual(deleted, [replaced.id]), {
    seen: `The version was ${before.meta.version}. One request deleted a rule and added one, and its answer had the "meta" ${excerptJson(json.meta, 120)}`,
    expected: `Expected the version ${before.meta.version + 1} and "deleted": ["${replaced.id}"], because one request is one change.`,
  })
  await mustHaveRules(
    account,
    { data: [kept, ...json.data], version },
    'A rule was deleted and added again with another tag',
  )
})

edgeCase('7.2f', 'a dry run gets the same answer as the change, but changes nothing', async (t) => {
  const { account } = await serveSource(t)
  const { data, meta } = await account.change({ add: [{ value: ALL }] })
  const body = { add: [{ value: 'network:ci', tag: 'ci' }], delete: { ids: [data[0]!.id] } }
  const dry = await account.post(body, '?dry_run=true')
  must(dry.status === 200, {
    seen: `A dry run was answered with status ${dry.status} and the body ${excerpt(dry.text, 120)}`,
    expected: 'Expected the answer that the change itself would get.',
  })
  await mustHaveRules(account, { data, version: meta.version }, 'A dry run was answered')
  const invalid = await account.post({ add: [{ value: 'nonsense' }] }, '?dry_run=true')
  mustBeProblem(invalid, 400, `POST ${RULES}?dry_run=true with an invalid rule`)
  const real = await account.post(body, '?dry_run=false')
  for (const part of ['data', 'meta'] as const) {
    const [ofDry, ofReal] = [dry.json?.[part], real.json?.[part]]
    must(real.status === 200 && deepEqual(withoutIds(ofDry), withoutIds(ofReal)), {
      seen: `A dry run was answered with the "${part}" ${excerptJson(ofDry, 90)} The change itself was answered with status ${real.status} and the "${part}" ${excerptJson(ofReal, 90)}`,
      expected: 'Expected both answers to be equal, except for the ID of the added rule.',
    })
  }
  await mustHaveRules(
    account,
    { data: real.json.data, version: meta.version + 1 },
    'A change was sent with dry_run=false',
    'your handler checks whether there is a dry_run, but not whether it is "true".',
  )
})

/** Replaces the IDs of new rules, which may be random. */
function withoutIds(part: { id: string }[] | { added: string[] } | undefined): unknown {
  if (Array.isArray(part)) return part.map((rule) => ({ ...rule, id: 'new' }))
  return { ...part, added: part?.added?.length }
}

edgeCase('7.2g', 'the ID of a deleted rule is not used again', async (t) => {
  const { account } = await serveSource(t)
  const known = new Map<string, string>()
  for (const value of ['network:ci', 'network:us', 'network:ak', 'network:nn']) {
    const add = [{ value }, { value: `${value} type:explosion` }]
    const { data } = await account.change({ add })
    for (const rule of data) {
      const { id } = rule
      must(!known.has(id), {
        seen: `The rule "${known.get(id)}" had the ID "${id}" and was deleted. Then the new rule "${rule.value}" got the same ID.`,
        expected:
          'Expected a new ID, because a client that still knows the old rule would misread "matching_rules".',
        often:
          'your code derives the ID from the rules that exist now. Count every rule that was ever added.',
      })
      known.set(id, rule.value)
    }
    await account.change({ deleteIds: [data[1]!.id] })
  }
})

edgeCase('7.2h', 'a body that is not a change gets 400', async (t) => {
  const { account, server } = await serveSource(t)
  const headers = { Authorization: 'Bearer tremor' }
  for (const body of ['{', '5', '{"add":"network:ci"}', '{"add":[{"tag":"x"}]}']) {
    const answer = await sendRequest(t, server, { method: 'POST', path: RULES, body, headers })
    mustBeProblem(answer, 400, `POST ${RULES} with the body ${body}`)
  }
  const { data } = await account.list()
  must(data.length === 0, {
    seen: `Each change was refused, but afterwards the account had ${data.length} rules.`,
    expected: 'Expected a refused request to change nothing.',
  })
})

edgeCase('7.2i', 'changes that arrive at the same time all take effect', async (t) => {
  const { account } = await serveSource(t)
  const { version } = await account.list()
  const values = ['ci', 'us', 'ak', 'nn', 'hv'].map((network) => `network:${network}`)
  const changes = await Promise.all(values.map((value) => account.change({ add: [{ value }] })))
  const added = changes.flatMap(({ data }) => data)
  await mustHaveRules(
    account,
    { data: added, version: version + values.length },
    'Five requests at the same time each added a rule and got status 200',
    'your handler waits between reading the rules and replacing them, so it overwrites another change.',
  )
})

// 7.3 The stream

check('7.3a', 'the head is sent at once, and no greeting follows it', async (t) => {
  const { account, source } = await serveSource(t)
  const { data } = await account.change({ add: [{ value: ALL }] })
  const stream = await account.open()
  const { headers } = stream.head
  const type = headers.get('content-type') ?? ''
  must(/^application\/x-ndjson\s*(;|$)/i.test(type), {
    seen: `The Content-Type of the stream was ${type || 'missing'}.`,
    expected: 'Expected application/x-ndjson, because each line is a JSON value.',
  })
  const control = headers.get('cache-control')
  must(hasToken(control, 'no-store') && hasToken(control, 'no-transform'), {
    seen: `The Cache-Control header was ${control === null ? 'missing' : `"${control}"`}.`,
    expected: 'Expected no-store and no-transform, as in lesson 4.',
  })
  must(hasToken(headers.get('x-accel-buffering'), 'no'), {
    seen: 'The response did not have the header X-Accel-Buffering: no.',
    expected: 'Expected this header, as in lesson 4. Otherwise nginx buffers the records.',
  })
  await turns(20)
  const early = stream.client.unread()
  must(early === '', {
    seen: `Right after the head, and before any quake, the client got ${excerpt(early)}`,
    expected: 'Expected an empty body, because a client resets its backoff at the first byte.',
  })
  const [quake] = quakes(1)
  source.happen(quake)
  await stream.mustBeRecord(quake, data)
})

check('7.3b', 'a quake is sent as one record that names every rule it matches', async (t) => {
  const { account, source } = await serveSource(t)
  const { data } = await account.change({
    add: [
      { value: 'magnitude >= 4', tag: 'strong' },
      { value: 'network:ci', tag: 'local' },
      { value: 'network:ci magnitude >= 4' },
    ],
  })
  const [strong, local, both] = [data[0]!, data[1]!, data[2]!]
  const stream = await account.open()
  const matching = [
    [strong],
    [strong, local, both],
    [],
    [local],
    [],
    [strong, local, both],
    [strong],
  ]
  const happened = quakesWith(
    { magnitude: 5, network: 'us' },
    { magnitude: 5, network: 'ci' },
    { magnitude: 2, network: 'us' },
    { magnitude: 2, network: 'ci' },
    { magnitude: 1, network: 'ak' },
    { magnitude: 4, network: 'ci' },
    { magnitude: 6, network: 'nn' },
  )
  for (const [n, quake] of happened.entries()) {
    source.happen(quake)
    const rules = matching[n]!
    if (rules.length > 0) await stream.mustBeRecord(quake, rules)
  }
  // These values break careless code. The last two quakes have the ID of the first, because they correct it.
  const other = await serveSource(t)
  const all = await other.account.change({ add: [{ value: ALL }] })
  const everything = await other.account.open()
  t.freezeTimers()
  const ids = new Set<string>()
  for (const quake of awkwardQuakes()) {
    other.source.happen(quake)
    await everything.mustBeRecord(
      quake,
      all.data,
      ids.has(quake.id)
        ? 'your handler skips a quake whose ID it has sent before. Such a quake corrects the earlier one.'
        : 'your handler sends the records when a timer fires. Send each record at once.',
    )
    ids.add(quake.id)
  }
})

check('7.3c', 'the rules of one account do not affect another account', async (t) => {
  const { server, source } = await serveSource(t, { tokens: ['a', 'b'], maxConnections: 2 })
  const a = accountOf(t, server, { token: 'a', name: 'client A' })
  const b = accountOf(t, server, { token: 'b', name: 'client B' })
  const often = 'your app keeps one set of rules, or one version, for all accounts.'
  const { version } = await b.list()
  const rulesOfA = await a.change({ add: [{ value: 'network:ci' }] })
  await mustHaveRules(
    b,
    { data: [], version },
    'Only account A added a rule, and account B asked for its rules',
    often,
  )
  const answer = await b.post({ delete: { ids: [rulesOfA.data[0]!.id] } })
  mustBeProblem(answer, 400, `POST ${RULES} of account B, with the ID of a rule of account A,`)
  const rulesOfB = await b.change({
    add: [{ value: 'network:us' }, { value: 'network:ci type:explosion' }],
  })
  const streams = { a: await a.open(), b: await b.open() }
  const [first, second, third] = quakesWith(
    { network: 'ci', type: 'earthquake' },
    { network: 'us' },
    { network: 'ci', type: 'explosion' },
  ) as [Quake, Quake, Quake]
  source.happen(first, second, third)
  await streams.a.mustBeRecord(first, rulesOfA.data, often)
  await streams.a.mustBeRecord(third, rulesOfA.data, often)
  await streams.b.mustBeRecord(second, rulesOfB.data.slice(0, 1), often)
  await streams.b.mustBeRecord(third, rulesOfB.data.slice(1), often)
})

check('7.3d', 'empty lines are sent as keep-alives while the stream is idle', async (t) => {
  const { account, source } = await serveSource(t, { keepAliveMs: OFTEN })
  const { data } = await account.change({ add: [{ value: ALL }] })
  const stream = await account.open()
  for (const quake of quakes(3)) {
    for (let n = 0; n < 3; n += 1) await mustKeepAlive(stream, n)
    source.happen(quake)
    await stream.mustBeRecord(quake, data)
  }
  const delays = t.recordTimerDelays()
  await (await serveSource(t)).account.open()
  await turns(20)
  const shortest = Math.min(...delays.ms)
  must(shortest > 1 && shortest <= 20_000, {
    seen: `keepAliveMs was left out, and ${delays.ms.length === 0 ? 'the server started no timer' : `the shortest timer of the server was set to ${shortest} ms`}.`,
    expected: 'Expected keepAliveMs to be 20,000 by default.',
  })
})

/** Requires that the next line is a keep-alive. */
async function mustKeepAlive(stream: RecordStream, before: number): Promise<void> {
  const line = await stream.line({
    seen: `keepAliveMs was ${OFTEN} and no quake happened, but the client got ${before === 0 ? 'no keep-alive' : `only ${counted(before, 'keep-alive')}`}.`,
    expected: 'Expected an empty line every few milliseconds, for as long as the stream is idle.',
  })
  must(line === '', {
    seen: `No quake happened, and the client got the line "${excerpt(line)}".`,
    expected:
      'Expected a keep-alive to be an empty line, because a client treats every other line as a message.',
  })
}

check('7.3e', 'after a disconnect, the server releases the timer and the response', async (t) => {
  const timers = t.trackTimers()
  const responses: WeakRef<object>[] = []
  const { account, server, source } = await serveSource(
    t,
    { keepAliveMs: OFTEN, maxConnections: 100 },
    {
      before(_request, response, next) {
        responses.push(new WeakRef(response))
        next()
      },
    },
  )
  const { data } = await account.change({ add: [{ value: ALL }] })
  let mayStay: { listeners: number; timers: number } | undefined
  for (let n = 1; n <= 12; n += 1) {
    const stream = await account.open({ name: `client ${n}` })
    const [quake] = quakes(1)
    source.happen(quake)
    await stream.mustBeRecord(quake, data)
    await disconnect(t, server, stream.client)
    await turns(20)
    // A listener and a timer that serve all clients may stay.
    mayStay ??= { listeners: source.listeners, timers: timers.alive() }
  }
  const most = mayStay!
  await t.waitFor(() => timers.alive() <= most.timers && source.listeners <= most.listeners, {
    seen: () =>
      `Twelve clients connected and disconnected, and your server still had ${counted(timers.alive(), 'timer')} and ${counted(source.listeners, 'listener')} on the source.`,
    expected: `Expected at most ${counted(most.timers, 'timer')} and ${counted(most.listeners, 'listener')}, as after the first client.`,
    often: "your handler does not clean up when the response emits 'close'.",
  })
  source.happen(...quakes(1))
  await turns(5)
  collectGarbage()
  const alive = responses.slice(0, -2).filter((each) => each.deref() !== undefined).length
  must(alive < 6, {
    seen: `Twelve clients connected and disconnected, and ${alive} of their responses were still in memory.`,
    expected: 'Expected your server to forget a client that has disconnected.',
    often: 'your handler never removes a client from the list of open streams.',
  })
})

edgeCase('7.3f', 'keep-alives are skipped while the buffer of the response is full', async (t) => {
  const timers = t.controlTimers()
  const { account, server, source } = await serveSource(t)
  const { data } = await account.change({ add: [{ value: ALL }] })
  const stream = await account.open()
  server.blockNetwork()
  const [quake, last] = largeQuakes(2, 100_000) as [Quake, Quake]
  source.happen(quake)
  await turns(5)
  t.transcript.step('the keep-alive timer fires fifty times')
  for (let n = 0; n < 50; n += 1) timers.runPending()
  await turns(5)
  server.unblockNetwork()
  await stream.mustBeRecord(
    quake,
    data,
    'your handler cuts a client as soon as res.write() returns false.',
  )
  source.happen(last)
  await stream.mustBeRecord(last, data)
  must(stream.keepAlives < 10, {
    seen: `A client stalled until the buffer of its response was full. Meanwhile, your server queued ${stream.keepAlives} keep-alives.`,
    expected:
      'Expected no keep-alive while the buffer is full, because the queued records will show that the connection works.',
    often: 'your timer does not check res.writableNeedDrain.',
  })
})

edgeCase('7.3g', 'HEAD gets only the head and does not count as an open stream', async (t) => {
  const { account, server } = await serveSource(t)
  const client = t.connect(server)
  const headers = { Authorization: 'Bearer tremor' }
  // A response to HEAD has ended if the server answers the next request on the connection.
  for (let n = 0; n < 3; n += 1) {
    const { status } = await client.get(
      STREAM,
      {
        seen: `HEAD ${STREAM} got no answer${n === 0 ? '' : ' after another HEAD request on the same connection'}.`,
        expected: 'Expected the response to HEAD to end.',
        often: GET_FOR_HEAD,
      },
      { method: 'HEAD', headers },
    )
    must(status === 200, {
      seen: `HEAD ${STREAM} was answered with status ${status}.`,
      expected: 'Expected status 200, because a HEAD request does not count as an open stream.',
      often: GET_FOR_HEAD,
    })
  }
  await account.open()
})

// 7.4 Changes reach the open stream

check('7.4a', 'each change is acknowledged on every open stream of the account', async (t) => {
  const { account } = await serveSource(t, { maxConnections: 3 })
  const streams = [
    await account.open({ name: 'client A' }),
    await account.open({ name: 'client B' }),
  ]
  const first = await account.change({ add: [{ value: 'network:ci', tag: 'ci' }] })
  for (const stream of streams) await stream.mustBeAcknowledgement(first.meta)
  const second = await account.change({
    add: [{ value: 'network:us' }, { value: 'network:ak' }],
    deleteIds: [first.data[0]!.id],
  })
  for (const stream of streams) await stream.mustBeAcknowledgement(second.meta)
  streams.push(await account.open({ name: 'client C' }))
  const third = await account.change({ deleteIds: second.data.map(({ id }) => id) })
  for (const stream of streams) await stream.mustBeAcknowledgement(third.meta)
})

check('7.4b', 'an added rule takes effect on an open stream', async (t) => {
  const { account, source } = await serveSource(t)
  const stream = await account.open()
  const values = { network: 'ci', magnitude: 5 }
  // No rule matches this quake, because the account has no rules yet.
  source.happen(...quakesWith(values))
  const added = []
  for (const value of ['network:ci', 'magnitude = 5', 'network:ci magnitude >= 5']) {
    const { data, meta } = await account.change({ add: [{ value }] })
    added.push(...data)
    await stream.mustBeAcknowledgement(meta)
    const [quake] = quakesWith({ ...values, id: `after ${added.length} changes` })
    source.happen(quake!)
    await stream.mustBeRecord(quake!, added, COPIED_RULES)
  }
})

check('7.4c', 'a deleted rule matches nothing after the acknowledgement', async (t) => {
  const { account, source } = await serveSource(t)
  const { data } = await account.change({
    add: [{ value: 'network:ci' }, { value: 'network:us' }],
  })
  const [ci, us] = [data[0]!, data[1]!]
  const stream = await account.open()
  const [before, after, fence] = quakesWith(
    { network: 'ci' },
    { network: 'ci' },
    { network: 'us' },
  ) as [Quake, Quake, Quake]
  source.happen(before)
  await stream.mustBeRecord(before, [ci])
  const { meta } = await account.change({ deleteIds: [ci.id] })
  await stream.mustBeAcknowledgement(meta)
  source.happen(after, fence)
  const message = await stream.next({
    seen: `${describeQuake(fence)} happened and the rule "${us.id}" matched it, but no record reached the client.`,
    expected: 'Expected the remaining rule to match as before.',
  })
  must(message.data?.id !== after.id, {
    seen: `The stream acknowledged that the rule "${ci.id}" was deleted. Then ${describeQuake(after)} happened, which only that rule matched, and the client got its record.`,
    expected: 'Expected no record, because none of the remaining rules matches the quake.',
    often:
      'your handler adds new rules to a list of its own, but never removes deleted rules from that list.',
  })
  must(message.data?.id === fence.id, {
    seen: `The client got ${describeMessage(message)}.`,
    expected: `Expected the record of ${describeQuake(fence)}, which matches ${rulesText([us])}.`,
  })
})

const COPIED_RULES =
  'your handler copies the rules when a client connects. Use the current rules of the account for each quake.'

check('7.4d', 'during twenty changes, no record is lost or sent twice', async (t) => {
  let opened = 0
  const { server, source } = await serveSource(
    t,
    {},
    {
      transcript: SILENT,
      before(request, _response, next) {
        if (request.path === STREAM) opened += 1
        next()
      },
    },
  )
  const account = accountOf(t, server, { transcript: SILENT })
  const stream = await account.open()
  const rules: { id: string; zone: number }[] = []
  for (let zone = 1; zone <= 20; zone += 1) {
    const leaving = rules.length === 3 ? rules.shift() : undefined
    const { data, meta } = await account.change({
      add: [{ value: `place:"zone ${zone}."` }],
      ...(leaving && { deleteIds: [leaving.id] }),
    })
    rules.push({ id: data[0]!.id, zone })
    await stream.mustBeAcknowledgement(meta)
    t.transcript.step(
      `change ${zone} adds a rule for zone ${zone}${leaving ? ` and deletes the rule for zone ${leaving.zone}` : ''}. A quake happens in each zone`,
    )
    const zones = [...(leaving ? [leaving.zone] : []), ...rules.map((rule) => rule.zone)]
    const happened = quakesWith(
      ...zones.map((each) => ({
        id: `${zone}-${each}`,
        place: `After change ${zone}, zone ${each}.`,
      })),
    )
    source.happen(...happened)
    const matching = leaving ? happened.slice(1) : happened
    for (const [n, quake] of matching.entries()) {
      await stream.mustBeRecord(quake, [{ id: rules[n]!.id }])
    }
  }
  must(opened === 1, {
    seen: `Twenty changes were made, and the stream was opened ${opened} times.`,
    expected: 'Expected the stream to be opened once, and to stay open.',
  })
})

check('7.4e', 'the acknowledgement separates the old rules from the new rules', async (t) => {
  const { account, source } = await serveSource(t, {}, { transcript: SILENT })
  let { id } = (await account.change({ add: [{ value: ALL }] })).data[0]!
  const stream = await account.open()
  let happened = 0
  let read = 0
  const happen = (): void => source.happen(...quakesWith({ id: `quake ${(happened += 1)}` }))
  for (let round = 1; round <= 6; round += 1) {
    t.transcript.step('a request replaces the rule with another rule while quakes keep happening')
    let isAnswered = false
    const changing = account
      .change({ add: [{ value: `${ALL} depth < ${1000 + round}` }], deleteIds: [id] })
      .finally(() => (isAnswered = true))
    while (!isAnswered) {
      happen()
      await turns()
    }
    const { data, meta } = await changing
    const next = data[0]!.id
    happen()
    let isAcknowledged = false
    while (read < happened || !isAcknowledged) {
      const message = await stream.next({
        seen: () =>
          `A request replaced a rule while ${happened} quakes happened. The client got ${read} records and ${isAcknowledged ? 'the' : 'no'} acknowledgement.`,
        expected:
          'Expected a record for each quake, because each of the two rules matches every quake.',
      })
      if (message.rules) {
        isAcknowledged = true
        must(message.rules.version === meta.version, {
          seen: `The client got ${describeMessage(message)}.`,
          expected: `Expected the acknowledgement of version ${meta.version}.`,
        })
        continue
      }
      read += 1
      must(message.data?.id === `quake ${read}`, {
        seen: `Quakes happened while a request replaced a rule. Instead of the record of quake ${read}, the client got the record of ${message.data?.id}.`,
        expected: 'Expected each quake once, in order, because each of the two rules matches it.',
      })
      const rule = isAcknowledged ? next : id
      must(
        deepEqual(
          message.matching_rules?.map((each) => each.id),
          [rule],
        ),
        {
          seen: `A request replaced the rule "${id}" with the rule "${next}". ${isAcknowledged ? 'After' : 'Before'} the acknowledgement, the client got a record with ${rulesText(message.matching_rules ?? [])}.`,
          expected: `Expected the rule "${rule}", because the old rules apply to records before the acknowledgement, and the new rules to records after it.`,
          often:
            'your handler waits between the change and its acknowledgement, and a quake happens meanwhile.',
        },
      )
    }
    must(isAcknowledged, {
      seen: 'A quake happened after the answer to the request, but its record arrived before the acknowledgement.',
      expected: 'Expected the acknowledgement before every record to which the new rules apply.',
    })
    id = next
  }
})

edgeCase(
  '7.4f',
  'dry runs, refused changes and changes of other accounts are not acknowledged',
  async (t) => {
    const { server, source } = await serveSource(t, { tokens: ['a', 'b'] })
    const a = accountOf(t, server, { token: 'a', name: 'client A' })
    const b = accountOf(t, server, { token: 'b', name: 'client B' })
    const { data } = await a.change({ add: [{ value: ALL }] })
    const stream = await a.open()
    await a.post({ add: [{ value: 'network:ci' }] }, '?dry_run=true')
    await a.post({ add: [{ value: 'network:ci' }, { value: 'nonsense' }] })
    await b.change({ add: [{ value: 'network:us' }] })
    const [quake] = quakes(1)
    source.happen(quake)
    const message = await stream.next({
      seen: `${describeQuake(quake)} happened and a rule matched it, but no record reached the client.`,
      expected: 'Expected the record to be sent at once.',
    })
    must(message.rules === undefined, {
      seen: `Account A sent a dry run and an invalid change, and account B changed its rules. Then the open stream of account A got ${describeMessage(message)}.`,
      expected: 'Expected no acknowledgement, because the rules of account A have not changed.',
    })
    must(
      deepEqual(
        message.matching_rules?.map(({ id }) => id),
        [data[0]!.id],
      ),
      {
        seen: `Account A sent a dry run and an invalid change. Then the client got ${describeMessage(message)}.`,
        expected: `Expected the record of ${describeQuake(quake)}, with ${rulesText(data)}.`,
      },
    )
  },
)
// 7.5 Limits and backfill

check('7.5a', 'a stream over the limit gets 429, and the open streams stay open', async (t) => {
  const { server, source } = await serveSource(t, { tokens: ['a', 'b'], maxConnections: 2 })
  const a = accountOf(t, server, { token: 'a', name: 'client A' })
  const b = accountOf(t, server, { token: 'b', name: 'client B' })
  const { data } = await a.change({ add: [{ value: ALL }] })
  const streams = [await a.open(), await a.open({ name: 'second client' })]
  for (let n = 0; n < 2; n += 1) {
    const { json } = await mustRefuse(a)
    must(json.type.endsWith('too-many-connections'), {
      seen: `The third stream was refused, and the "type" of the problem was ${excerptJson(json.type)}.`,
      expected: 'Expected a "type" that ends in "too-many-connections".',
    })
  }
  const first = await b.ask()
  must(first.status === 200, {
    seen: `Account A had maxConnections streams open, and the first stream of account B was answered with status ${first.status}.`,
    expected: 'Expected status 200, because each account has its own limit.',
  })
  const [quake] = quakes(1)
  source.happen(quake)
  for (const stream of streams) {
    await stream.mustBeRecord(
      quake,
      data,
      'your handler closes an open stream to make room for a new stream.',
    )
  }
  const busy = await serveSource(t, { maxConnections: 2 })
  const answers = await Promise.all([1, 2, 3, 4, 5].map(() => busy.account.ask()))
  const opened = answers.filter(({ status }) => status === 200).length
  must(opened === 2, {
    seen: `maxConnections was 2, five clients asked for a stream at the same time, and ${opened} of them got a stream.`,
    expected: 'Expected two streams and three refusals.',
    often: 'your handler waits between checking the limit and adding the stream.',
  })
})

check('7.5b', 'a client that disconnects frees its slot', async (t) => {
  const { account, server, source } = await serveSource(
    t,
    {},
    {
      before(request, response, next) {
        if (request.method === 'GET') void consumeRequest(request, response, next)
        else next()
      },
    },
  )
  const { data } = await account.change({ add: [{ value: ALL }] })
  for (let n = 1; n <= 4; n += 1) {
    const name = `client ${n}`
    const stream = await account.ask({ name })
    must(stream instanceof RecordStream, {
      seen: `maxConnections was 1. Client ${n - 1} had disconnected, but ${name} was answered with status ${stream.status}.`,
      expected: 'Expected status 200, because the slot is free again.',
      often: "your handler does not free the slot when the response emits 'close'.",
    })
    const [quake] = quakes(1)
    source.happen(quake)
    await stream.mustBeRecord(
      quake,
      data,
      "your handler listens for 'close' on the request. Here, that event fired as soon as middleware had read the request.",
    )
    // A refused request must not free a slot when it ends.
    await mustRefuse(account)
    await turns(5)
    await mustRefuse(account)
    await disconnect(t, server, stream.client)
    await turns(5)
  }
})

check('7.5c', 'a client over maxBufferedBytes is cut off and delays no other client', async (t) => {
  const { account, server, source } = await serveSource(t, {
    maxConnections: 2,
    maxBufferedBytes: 8192,
    keepAliveMs: OFTEN,
  })
  const { data } = await account.change({ add: [{ value: ALL }] })
  const slow = await account.open({ name: 'slow client' })
  server.blockNetwork()
  const quick = await accountOf(t, server, { transcript: SILENT }).open()
  t.transcript.step('100 quakes happen, and the quick client reads each of them')
  const waits = 'your handler waits for the slow client before it writes to the next one.'
  for (const quake of largeQuakes(100, 1000)) {
    source.happen(quake)
    await quick.mustBeRecord(quake, data, waits)
  }
  const { meta } = await account.change({ add: [{ value: 'network:none' }] })
  await quick.mustBeAcknowledgement(meta, waits)
  await t.waitFor(() => slow.client.isClosed, {
    seen: 'maxBufferedBytes was 8,192 and a client stopped reading. 100 quakes of more than 1 KB each happened, but your server kept the connection.',
    expected:
      'Expected the connection to be destroyed, because the waiting records would use up the memory.',
    often:
      'your handler does not check res.writableLength after a write, or calls res.end(), which waits for the client.',
  })
  await turns(5)
  const next = await account.open({ name: 'next client' })
  const [quake] = quakesWith({ id: 'after the cut' })
  source.happen(quake!)
  for (const stream of [next, quick]) await stream.mustBeRecord(quake!, data)
  await mustRefuse(account)
})

check('7.5d', 'the backfill is sent before live quakes, oldest first', async (t) => {
  const { account, clock, server, source } = await serveSource(t, {}, { transcript: SILENT })
  const strong: { second: number; id: string }[] = []
  const happen = (second: number, what = 'quake'): void => {
    const id = `${what} of second ${second}`
    clock.second = second
    source.happen(...quakesWith({ id, magnitude: 5 }))
    source.happen(...quakes(40).map((quake) => ({ ...quake, magnitude: 1 })))
    strong.push({ second, id })
  }
  for (const second of [0, 60, 150, 200, 299]) happen(second)
  t.transcript.step('strong quakes happen in the seconds 0, 60, 150, 200 and 299')
  // The rule is added only after the quakes have happened.
  const { data } = await account.change({ add: [{ value: 'magnitude >= 4' }] })
  for (const [n, minutes] of [5, 3, 1, 0, 5, undefined].entries()) {
    clock.second = 330 + n
    const query = minutes === undefined ? '' : `?backfill_minutes=${minutes}`
    const how = `In second ${clock.second}, a client sent GET ${STREAM}${query}`
    t.transcript.step(how)
    const since = clock.second - (minutes ?? 0) * 60
    const stream = await account.open({ query })
    const expected = strong.filter(({ second }) => second > since)
    happen(clock.second, 'live quake')
    expected.push(strong.at(-1)!)
    const ids = expected.map(({ id }) => id)
    const story = `Expected the quakes of the last ${minutes ?? 0} minutes, oldest first, and then the live quake: ${ids.join(', ')}.`
    for (const id of ids) {
      const message = await stream.next({
        seen: `${how}, but the ${id} did not arrive.`,
        expected: story,
      })
      must(message.data?.id === id, {
        seen: `${how}. Instead of the ${id}, the client got ${message.data ? `the ${message.data.id}` : describeMessage(message)}.`,
        expected: story,
      })
      must(
        deepEqual(
          message.matching_rules?.map((rule) => rule.id),
          [data[0]!.id],
        ),
        {
          seen: `${how}, and a record of the backfill was ${excerptJson(message, 120)}`,
          expected: 'Expected the same "matching_rules" as in a live record.',
        },
      )
    }
    await disconnect(t, server, stream.client)
    await turns(5)
  }
})

edgeCase('7.5e', 'a backfill_minutes other than an integer from 0 to 5 gets 400', async (t) => {
  const { account } = await serveSource(t)
  for (const asked of ['6', '-1', '1.5', 'two', '', '1e0', '0x1']) {
    const query = `?backfill_minutes=${asked}`
    const answer = await account.ask({ query })
    must(!(answer instanceof RecordStream), {
      seen: `GET ${STREAM}${query} opened a stream.`,
      expected: 'Expected status 400.',
      often: 'your handler uses Number() or parseInt(), which also accept other texts.',
    })
    mustBeProblem(answer, 400, `GET ${STREAM}${query}`)
  }
  await account.open()
})

edgeCase('7.5f', 'a client that disconnects before it is served takes up no slot', async (t) => {
  const timers = t.trackTimers()
  const login = gate()
  const { account, server } = await serveSource(t, {}, { before: login.handler })
  const first = await account.open({ name: 'client 1' })
  await disconnect(t, server, first.client)
  await turns(20)
  const mayStay = timers.alive()
  login.shut()
  const gone = t.connect(server, 'client 2')
  gone.request(STREAM, { headers: { Authorization: 'Bearer tremor' } })
  await t.waitFor(() => login.waiting > 0, {
    seen: 'The request did not reach the login middleware.',
    expected: 'Expected the request to reach the middleware before your handler.',
  })
  await disconnect(t, server, gone)
  t.transcript.step('the login middleware passes the request of client 2 to your handler')
  login.open()
  await turns(20)
  const often =
    "your handler listens for 'close' after that event has fired. Check res.destroyed as well."
  must(timers.alive() <= mayStay, {
    seen: 'A client had disconnected before your handler was called, and a timer for that client kept running.',
    expected: 'Expected no timer, because nothing would ever clear it.',
    often,
  })
  const next = await account.ask({ name: 'client 3' })
  must(next instanceof RecordStream, {
    seen: `A client had disconnected before your handler was called. The next client was answered with status ${next.status}.`,
    expected: 'Expected status 200, because the account has no open stream.',
    often,
  })
})

edgeCase('7.5g', 'a slow client below maxBufferedBytes gets every record', async (t) => {
  const { account, server, source } = await serveSource(t)
  const { data } = await account.change({ add: [{ value: ALL }] })
  const stream = await account.open()
  for (let round = 1; round <= 3; round += 1) {
    server.blockNetwork()
    const happened = largeQuakes(4, 100_000)
    for (const quake of happened) {
      source.happen(quake)
      await turns(5)
    }
    server.unblockNetwork()
    for (const quake of happened) {
      await stream.mustBeRecord(
        quake,
        data,
        'your handler cuts the client, or skips a record, as soon as res.write() returns false. That happens long before maxBufferedBytes.',
      )
    }
  }
})

edgeCase('7.5h', 'quakes older than five minutes are removed from memory', async (t) => {
  const { account, clock, source } = await serveSource(t, {}, { transcript: SILENT })
  await account.change({ add: [{ value: ALL }] })
  const happened: WeakRef<Quake>[] = []
  for (let n = 0; n < 300; n += 1) {
    clock.second = n * 10
    const [quake] = quakesWith({ id: `quake ${n}` })
    happened.push(new WeakRef(quake!))
    source.happen(quake!)
  }
  t.transcript.step('300 quakes happen, one every ten seconds')
  // A WeakRef keeps its object alive until the end of the turn.
  await turns(2)
  collectGarbage()
  const alive = happened.filter((each) => each.deref() !== undefined).length
  must(alive < 100, {
    seen: `300 quakes happened, one every ten seconds, and ${alive} of them were still in memory.`,
    expected: 'Expected about 30 of them, because a client can ask for at most 5 minutes.',
    often: 'your app never removes a quake from the list for the backfill.',
  })
})

// 7.6 A client that survives silence

check('7.6a', 'each quake is yielded as soon as its line is complete', async (t) => {
  const { server, got, requested, delivers } = await followScripted(t)
  await requested(1)
  const whole = awkwardQuakes().slice(0, -2)
  for (const [n, quake] of whole.entries()) {
    await delivers(quake)
    must(deepEqual(got[n], { data: quake, matching_rules: [{ id: '1', tag: 'all' }] }), {
      seen: `The server sent ${excerpt(recordOf(quake), 120)} and followStream() yielded ${excerptJson(got[n], 120)}`,
      expected:
        'Expected followStream() to yield the "data" and the "matching_rules" of that record.',
    })
  }
  const [cut, next, last] = quakesWith(
    { place: 'Øksfjord, 北海道' },
    { id: 'next' },
    { id: 'last' },
  )
  for (const isInCharacter of [true, false]) {
    const quake = { ...cut!, id: `cut ${isInCharacter}` }
    const record = Buffer.from(recordOf(quake))
    const at = isInCharacter ? record.indexOf('北') + 1 : 12
    const before = got.length
    server.send(record.subarray(0, at), `the first ${at} bytes of a record`)
    await turns(5)
    server.send(record.subarray(at), 'the rest of the record')
    await t.waitFor(() => got.length > before, notGiven(quake))
    must(deepEqual(got.at(-1)?.data, quake), {
      seen: `A record arrived in two chunks, and followStream() yielded ${excerptJson(got.at(-1)?.data.place)} as its place.`,
      expected: `Expected the place ${excerptJson(quake.place)}`,
      often:
        'your client decodes each chunk on its own, so a character that is split between two chunks becomes U+FFFD.',
    })
  }
  const before = got.length
  server.send(recordOf(next!) + recordOf(last!), 'two records at once')
  await t.waitFor(() => got.length === before + 2, {
    seen: () =>
      `Two records arrived in one chunk, and followStream() yielded ${counted(got.length - before, 'quake')}.`,
    expected: 'Expected followStream() to yield both quakes.',
  })
})

check('7.6b', 'lines other than quakes are skipped, and onRules() gets the changes', async (t) => {
  const { server, got, changes, requested } = await followScripted(t)
  const change = { version: 3, added: ['7'], deleted: ['2'] }
  await requested(1)
  const others = [
    ['\n', 'A keep-alive'],
    ['\r\n', 'A keep-alive of CR and LF'],
    [`${JSON.stringify({ rules: change })}\n`, 'The acknowledgement of a change'],
    ['{"errors":[{"title":"operational-disconnect"}]}\n', 'A record with "errors"'],
    ['{"weather":{"rain":true}}\n', 'A message of an unknown type'],
    ['null\n', 'The line "null"'],
    ['{"data":{"id"\n', 'A line that is not JSON'],
  ] as const
  for (const [n, [line, what]] of others.entries()) {
    const quake = quakes(n + 1).at(-1)!
    server.send(line)
    server.send(recordOf(quake))
    const story = {
      seen: () =>
        `${what} arrived, and then a quake, but ${got.length > n + 1 ? `followStream() yielded ${excerptJson(got[n], 48)} first` : 'followStream() did not yield the quake'}.`,
      expected: 'Expected followStream() to skip that line and to yield the quake.',
    }
    await t.waitFor(() => got.length > n || server.requests.length > 1, story)
    must(got.length === n + 1 && deepEqual(got[n]?.data, quake), { ...story, seen: story.seen() })
  }
  must(deepEqual(changes, [change]), {
    seen: `The server acknowledged ${excerptJson(change)}, and onRules() was called with ${excerptJson(changes)}`,
    expected: 'Expected one call to onRules() with the value of "rules".',
  })
})

check('7.6c', 'a connection that is silent for three times keepAliveMs is cancelled', async (t) => {
  const follower = await followScripted(t, { keepAliveMs: 3000 })
  const { server, clock, delivers, opens, backsOff, armsWatchdog } = follower
  const [quake, next] = quakes(2)
  await opens(1)
  await delivers(quake)
  await armsWatchdog(9000)
  clock.advance(9000)
  const ms = await backsOff(1, 'Nothing arrived for three times keepAliveMs')
  await t.waitFor(() => server.openResponses === 0, {
    seen: 'Nothing arrived for three times keepAliveMs, but the old request stayed open.',
    expected:
      'Expected the request to be cancelled, because the server counts the request as an open stream until it has closed.',
    often: 'your client opens a new connection without cancelling the old request.',
  })
  clock.advance(ms)
  await opens(2)
  await delivers(next)
  await follower.close()
  const unset = await followScripted(t, { keepAliveMs: undefined })
  await unset.opens(1)
  await unset.armsWatchdog(60_000)
})

check('7.6d', 'every byte restarts the watchdog, even a keep-alive', async (t) => {
  const { server, clock, opens, armsWatchdog } = await followScripted(t, { keepAliveMs: 3000 })
  await opens(1)
  await armsWatchdog(9000)
  let passedMs = 0
  for (const [sent, what, often] of [
    [
      '\n',
      'a keep-alive',
      'only records restart your watchdog, but in a quiet hour only keep-alives arrive.',
    ],
    ['{"data":', 'part of a record', undefined],
  ] as const) {
    clock.advance(8999 - passedMs)
    const { useCount } = clock
    server.send(sent)
    const story = (): Story => ({
      seen: `8,999 of 9,000 ms had passed when ${what} arrived, but the watchdog would still have fired after ${clock.nextDueMs} ms.`,
      expected: 'Expected the watchdog to fire 9,000 ms after these bytes at the earliest.',
      ...(often && { often }),
    })
    await t.waitFor(() => clock.useCount > useCount, story)
    // A watchdog may start another sleep for each byte, or sleep again when it wakes.
    passedMs = 1
    clock.advance(passedMs)
    await t.waitFor(() => clock.nextDueMs === 9000 - passedMs, story)
  }
  must(server.requests.length === 1, {
    seen: 'Bytes arrived in time, but the client reconnected.',
    expected: 'Expected the client to stay connected.',
  })
})

check('7.6e', 'leaving the loop or aborting cancels the request', async (t) => {
  const server = await scriptedStream(t)
  const [quake] = quakes(1)
  const abort = new AbortController()
  t.atEnd(() => abort.abort())
  const leaves = async (): Promise<void> => {
    for await (const _ of followStream(server.url, { signal: abort.signal })) break
  }
  t.transcript.step('followStream() is called, and the caller will leave the loop at a quake')
  const left = leaves()
  await waitForRequest(t, server, 1, left)
  server.send(recordOf(quake))
  await t.withTimeout(left, {
    seen: 'The caller left the loop after a quake, but followStream() did not return.',
    expected: 'Expected followStream() to return.',
  })
  const cancelled = (when: string): Story => ({
    seen: `${when}, but the request stayed open.`,
    expected: 'Expected the request to be cancelled.',
    often: 'your client does not abort the request in a finally block.',
  })
  await t.waitFor(() => server.openResponses === 0, cancelled('The caller left the loop'))

  const follower = await followScripted(t)
  await follower.opens(1)
  await follower.delivers(quake)
  follower.abort()
  await follower.ends('The signal aborted while nothing arrived')
  await t.waitFor(
    () => follower.server.openResponses === 0,
    cancelled('The signal aborted while nothing arrived'),
  )
  await abortsInCallback(t)
  await wasAborted(t)
})

/** Checks that an abort in `onRules()` also stops quakes that arrived with the acknowledgement. */
async function abortsInCallback(t: Tools): Promise<void> {
  const server = await scriptedStream(t)
  const abort = new AbortController()
  t.atEnd(() => abort.abort())
  let given = 0
  const read = async (): Promise<void> => {
    const options = { signal: abort.signal, onRules: () => abort.abort() }
    for await (const _ of followStream(server.url, options)) given += 1
  }
  t.transcript.step('followStream() is called, and the signal will abort in onRules()')
  const reading = read()
  await waitForRequest(t, server, 1, reading)
  const rules = { version: 1, added: ['1'], deleted: [] }
  server.send(`${JSON.stringify({ rules })}\n${recordOf(quakes(1)[0])}`)
  await t.withTimeout(reading, {
    seen: 'The signal aborted in onRules(), but the loop continued.',
    expected: 'Expected followStream() to return.',
  })
  must(given === 0, {
    seen: 'The signal aborted in onRules(), but followStream() yielded the quake that had arrived with the acknowledgement.',
    expected: 'Expected followStream() to yield no quake after the signal has aborted.',
  })
}

/** Checks a signal that has aborted before the call. */
async function wasAborted(t: Tools): Promise<void> {
  const server = await scriptedStream(t)
  const abort = new AbortController()
  abort.abort()
  t.transcript.step('followStream() is called with a signal that has already aborted')
  const first = followStream(server.url, { signal: abort.signal }).next()
  const { done } = await t.withTimeout(first, {
    seen: 'The signal had aborted before the call, but followStream() did not return.',
    expected: 'Expected followStream() to return.',
  })
  must(done === true && server.requests.length === 0, {
    seen: 'The signal had aborted before the call, but followStream() made a request.',
    expected: 'Expected followStream() to make no request.',
  })
}

edgeCase('7.6f', 'each request has the method, headers and body of init', async (t) => {
  const init = {
    method: 'POST',
    // `{ ...headers }` would copy nothing from this object.
    headers: new Headers({ Authorization: 'Bearer tremor' }),
    body: '{"lang":"en"}',
  }
  const { server, clock, opens, delivers, backsOff } = await followScripted(t, { init })
  for (const [n, quake] of quakes(2).entries()) {
    await opens(n + 1)
    const request = server.requests[n]!
    const authorization = request.get('Authorization')
    const body = await t.withTimeout(request.toArray(), {
      seen: `The body of request ${n + 1} did not end.`,
      expected: 'Expected the body to end.',
    })
    must(
      request.method === 'POST' && authorization === 'Bearer tremor' && body.join('') === init.body,
      {
        seen: `Request ${n + 1} was a ${request.method} with ${authorization === undefined ? 'no Authorization header' : `Authorization: ${authorization}`} and the body "${excerpt(body.join(''))}".`,
        expected:
          'Expected each request to have the values of init: POST, Bearer tremor, {"lang":"en"}.',
        often:
          'your client passes init only to the first request, or copies a Headers object with { ...headers }.',
      },
    )
    await delivers(quake)
    if (n === 1) break
    server.cut()
    clock.advance(await backsOff())
  }
})

edgeCase('7.6g', 'the watchdog also runs before the head arrives', async (t) => {
  const server = await scriptedStream(t)
  server.stopAnswering()
  const { clock, requested, backsOff, armsWatchdog } = await followScripted(t, {
    server,
    keepAliveMs: 3000,
  })
  await requested(1)
  await armsWatchdog(9000)
  clock.advance(9000)
  clock.advance(await backsOff(1, 'No head arrived for three times keepAliveMs'))
  await requested(2)
  await t.waitFor(() => server.openResponses === 1, {
    seen: 'No head arrived for three times keepAliveMs. The client reconnected, but the old request stayed open.',
    expected: 'Expected the request to be cancelled.',
  })
})

edgeCase('7.6h', 'a slow caller does not trigger the watchdog', async (t) => {
  const server = await scriptedStream(t)
  const clock = new ControlledClock(t.transcript)
  const abort = new AbortController()
  const options = { signal: abort.signal, clock, keepAliveMs: 3000 }
  const reading = followStream(server.url, options)[Symbol.asyncIterator]()
  t.atEnd(() => {
    abort.abort()
    return Promise.race([reading.return?.(undefined).catch(() => {}), turns()])
  })
  const [first, second] = quakes(2)
  t.transcript.step('followStream() is called and asked for a quake')
  const one = reading.next()
  await waitForRequest(t, server, 1, one)
  server.send(recordOf(first))
  await t.withTimeout(one, notGiven(first))
  t.transcript.step('the caller is busy with the quake')
  let passedMs = 0
  for (let beat = 0; beat < 3; beat += 1) {
    clock.advance(8000 - passedMs)
    const { useCount } = clock
    server.send('\n')
    // A client that reads ahead gets the keep-alive, and a client that does not read runs no watchdog.
    const isOff = (): boolean => clock.nextDueMs === undefined
    const story = (): Story => ({
      seen: `The caller was busy with a quake and keep-alives arrived, but the watchdog would have fired after ${clock.nextDueMs} ms.`,
      expected:
        'Expected either no watchdog while the caller is busy, or a watchdog that every keep-alive restarts.',
      often:
        'your watchdog keeps running while the caller is busy, but nothing reads the keep-alives during that time.',
    })
    await t.waitFor(() => isOff() || clock.useCount > useCount, story)
    passedMs = 1000
    clock.advance(passedMs)
    await t.waitFor(() => isOff() || clock.nextDueMs === 9000 - passedMs, story)
  }
  const two = reading.next()
  server.send(recordOf(second))
  const { value } = await t.withTimeout(two, {
    seen: 'The caller took 24 seconds for a quake, and then followStream() did not yield the next quake.',
    expected:
      'Expected followStream() to yield the next quake from the same connection, because only the caller was slow.',
  })
  must(deepEqual(value?.data, second) && server.requests.length === 1, {
    seen: `The caller took 24 seconds for a quake, and the client made ${counted(server.requests.length, 'request')}.`,
    expected: 'Expected the client to make one request, because no connection was lost.',
  })
})

edgeCase('7.6i', 'after a connection, no sleep is pending and no listener is left', async (t) => {
  const follower = await followScripted(t)
  const { server, clock, signal, opens, delivers, ends, backsOff } = follower
  let first: number | undefined
  for (const [n, quake] of quakes(3).entries()) {
    await opens(n + 1)
    await delivers(quake)
    server.cut()
    const ms = await backsOff(n + 1)
    const listeners = getEventListeners(signal, 'abort').length
    first ??= listeners
    must(clock.sleeperCount === 1 && listeners <= first, {
      seen: `The client waited before request ${n + 2}, with ${counted(clock.sleeperCount, 'pending call')} to sleep() and ${counted(listeners, 'listener')} on the signal.`,
      expected: `Expected one pending call to sleep() and ${counted(first, 'listener')}, as after the first connection.`,
      often:
        'your watchdog keeps sleeping after bytes have arrived, or your client does not call removeEventListener().',
    })
    if (n < 2) clock.advance(ms)
  }
  follower.abort()
  await ends('The signal aborted while the client waited')
  await t.waitFor(() => clock.nextDueMs === undefined && server.requests.length === 3, {
    seen: 'The signal aborted while the client waited, but a call to sleep() was still pending, or another request was made.',
    expected: 'Expected sleep() to end, and no request to follow.',
    often: 'your client does not pass the signal to clock.sleep().',
  })
})

// 7.7 Three kinds of failure, three waits

check('7.7a', 'each kind of failure has its own waits and its own count', async (t) => {
  const { server, clock, requested, opens, delivers, backsOffFor } = await followScripted(t)
  const [quake] = quakes(1)
  await opens(1)
  await delivers(quake)
  server.cut()
  const endings: string[] = []
  for (const [n, [failure, expectedMs]] of FAILURES.entries()) {
    if (n > 0) {
      if (failure === 'cut') server.stopAnswering()
      else server.answer(failure)
      clock.advance(clock.nextDueMs!)
      await requested(n + 1)
      if (failure === 'cut') {
        server.cut()
        server.resumeAnswering()
      }
      endings.push(failure === 'cut' ? 'cut off' : String(failure))
    }
    const after = n > 0 ? `. The requests after it ended with: ${endings.join(', ')}` : ''
    const isOfAnotherKind = n > 0 && kindOf(failure) !== kindOf(FAILURES[n - 1]![0])
    const often = isOfAnotherKind ? WAITS_MIXED_UP : undefined
    await backsOffFor(expectedMs, n + 1, `A stream was lost${after}`, often)
  }
})

check('7.7b', 'the first byte of a body resets the counts, but a head does not', async (t) => {
  const { server, clock, requested, opens, backsOffFor } = await followScripted(t)
  const answers = [200, 200, 503, 200, 503] as const
  const waits = [0, 250, 5000, 500, 10_000]
  for (const [n, status] of answers.entries()) {
    if (n > 0) clock.advance(clock.nextDueMs!)
    if (status === 200) {
      await opens(n + 1)
      server.end()
    } else await requested(n + 1)
    server.answer(answers[n + 1] ?? 200)
    await backsOffFor(
      waits[n]!,
      n + 1,
      `The server answered ${answers.slice(0, n + 1).join(', ')}. Each 200 ended without a byte in its body`,
      'your client resets its counts when the head of a response arrives. A server that accepts each connection and then fails would get requests without a pause.',
    )
  }
  clock.advance(clock.nextDueMs!)
  await opens(6)
  const { useCount } = clock
  server.send('\n')
  await t.waitFor(() => clock.useCount > useCount, {
    seen: 'A keep-alive arrived, but the client called neither clock.now() nor clock.sleep().',
    expected: 'Expected the client to restart its watchdog.',
  })
  server.answer(503)
  server.cut()
  await backsOffFor(
    0,
    6,
    'After several failures, a keep-alive arrived, and then the stream was lost',
    'your client resets its counts only when a quake arrives, but a stream may be quiet for hours.',
  )
  clock.advance(0)
  await requested(7)
  await backsOffFor(5000, 7, 'After a keep-alive, the stream was lost, then a request got 503')
})

check('7.7c', 'a 4xx other than 408 and 429 makes followStream() throw', async (t) => {
  for (const status of [400, 401, 403, 404]) {
    const server = await scriptedStream(t)
    server.answer(status, {}, { endsBody: false })
    const follower = await followScripted(t, { server })
    follower.mayEnd()
    await t.waitFor(() => follower.ended || follower.states.at(-1)?.name === 'waiting', {
      seen: `The server answered ${status}, but followStream() did nothing.`,
      expected: 'Expected followStream() to throw.',
    })
    must(follower.error !== undefined, {
      seen: `The server answered ${status}, but followStream() ${follower.ended ? 'returned without an error' : 'continued'}.`,
      expected:
        'Expected followStream() to throw, because the next answer would be the same, and the caller has to know about the error.',
      often: 'your client treats all statuses alike, or its own catch block swallows the error.',
    })
    await t.waitFor(() => server.openResponses === 0, {
      seen: `The server answered ${status} and followStream() threw, but the response was still open.`,
      expected: 'Expected the request to be cancelled, because nothing reads its body.',
    })
    await follower.close()
  }
})

check('7.7d', 'a reconnect asks for a backfill of the minutes since the last byte', async (t) => {
  const { server, gaps, clock, requested, opens, delivers, backsOff } = await followScripted(t)
  const [last, ...happened] = quakes(5).toReversed()
  const away = [undefined, 0, 90_000, 290_000]
  for (const [n, quake] of happened.entries()) {
    if (n > 0) clock.advance(away[n]!)
    await opens(n + 1)
    mustAskFor(server, n + 1, away[n])
    await delivers(quake)
    must(gaps.length === 0, {
      seen: `The client was disconnected for ${seconds(away[n] ?? 0)}, and onGap() was called.`,
      expected:
        'Expected no call to onGap(), because the backfill contains every quake that was missed.',
    })
    server.cut()
    await backsOff(n + 1)
  }
  // Failed attempts in between must not count, because only the last byte matters.
  server.answer(503)
  clock.advance(70_000)
  await requested(5)
  mustAskFor(server, 5, 70_000)
  await backsOff(5)
  clock.advance(80_000)
  await requested(6)
  mustAskFor(server, 6, 150_000)
  await backsOff(6)
  clock.advance(200_000)
  await requested(7)
  await backsOff(7)
  server.answer(200)
  clock.advance(50_000)
  await opens(8)
  mustAskFor(server, 8, 400_000)
  await delivers(last!)
  must(deepEqual(gaps, [4]), {
    seen: `The client was disconnected for 400 s and sent two requests after the fifth minute. onGap() was called ${counted(gaps.length, 'time')} before the next quake.`,
    expected:
      'Expected one call to onGap() before that quake, because the server keeps the quakes of only 5 minutes.',
  })
})

check('7.7e', 'a quake that arrives again is skipped', async (t) => {
  const { server, got, clock, opens, backsOff } = await followScripted(t)
  const happened = quakes(4)
  await opens(1)
  server.send(
    happened
      .slice(0, 2)
      .map((quake) => recordOf(quake))
      .join(''),
    'two quakes',
  )
  await t.waitFor(() => got.length === 2, notGiven(happened[1]!))
  server.send(recordOf(happened[2]!).slice(0, 20), 'the beginning of a third')
  await turns(5)
  server.cut()
  clock.advance(await backsOff())
  await opens(2)
  // The order may differ, and the rules may have changed in the meantime.
  const again = [happened[2]!, ...happened.slice(0, 2), happened[3]!]
  server.send(again.map((quake) => recordOf(quake, '2')).join(''), 'all three and a fourth')
  await t.waitFor(() => deepEqual(got.at(-1)?.data, happened[3]), notGiven(happened[3]!))
  must(got.length === 4, {
    seen: `The stream was cut in the middle of the third quake. The backfill contained the first three quakes, and followStream() yielded ${counted(got.length, 'quake')} in all.`,
    expected: 'Expected followStream() to yield each of the 4 quakes once.',
    often:
      got.length > 4
        ? 'your client does not remember the IDs of quakes. A backfill of whole minutes repeats some quakes.'
        : 'your client keeps an unfinished line when it reconnects.',
  })
})

edgeCase('7.7f', 'a Retry-After that is longer than the wait replaces the wait', async (t) => {
  const { server, clock, requested, opens, backsOff, backsOffFor } = await followScripted(t)
  await opens(1)
  const date = new Date(clock.now() + 200_000).toUTCString()
  const cases = [
    [503, '7', 7000],
    [503, '2', 10_000],
    [503, 'soon', 20_000],
    [429, date, 200_000],
  ] as const
  server.cut()
  await backsOff()
  let passedMs = 0
  for (const [n, [status, value, expectedMs]] of cases.entries()) {
    server.answer(status, { 'Retry-After': value })
    const ms = clock.nextDueMs!
    passedMs += ms
    clock.advance(ms)
    await requested(n + 2)
    await backsOffFor(
      value === date ? expectedMs - passedMs : expectedMs,
      n + 2,
      `The server answered ${status} with Retry-After: ${value}`,
      'your client ignores the header, treats it as milliseconds, adds it to its own wait, or uses it even if it is shorter.',
    )
  }
})

edgeCase('7.7g', 'no wait grows beyond the longest of its kind', async (t) => {
  for (const [status, waits] of [
    ['cut', Array.from({ length: 84 }, (_, n) => Math.min(250 * n, 16_000))],
    [500, [5000, 10_000, 20_000, 40_000, 80_000, 160_000, 320_000, 320_000, 320_000]],
    [429, [60_000, 120_000, 240_000, 480_000, 960_000, 960_000, 960_000]],
  ] as const) {
    const server = await scriptedStream(t)
    if (status === 'cut') server.stopAnswering()
    else server.answer(status)
    const { clock, requested, backsOffFor, close } = await followScripted(t, { server })
    for (const [n, expectedMs] of waits.entries()) {
      if (n > 0) clock.advance(clock.nextDueMs!)
      await requested(n + 1)
      if (status === 'cut') server.cut()
      const what = status === 'cut' ? 'cut off' : `answered with ${status}`
      await backsOffFor(expectedMs, n + 1, `${counted(n + 1, 'request')} in a row had been ${what}`)
    }
    await close()
  }
})

edgeCase('7.7h', 'the client remembers at least 1,000 and at most 10,000 IDs', async (t) => {
  const { server, got, opens } = await followScripted({ ...t, transcript: SILENT })
  const happened = numberedQuakes(MOST_IDS + 1)
  const send = (from: number, to: number): void =>
    server.send(
      happened
        .slice(from, to)
        .map((quake) => recordOf(quake))
        .join(''),
    )
  await opens(1)
  send(0, 1000)
  send(0, 1001)
  t.transcript.step('the server sent 1,000 quakes, the same quakes again, and one more')
  await t.waitFor(() => got.at(-1)?.data.id === happened[1000]!.id, notGiven(happened[1000]!))
  must(got.length === 1001, {
    seen: `The server sent 1,000 quakes, the same quakes again, and one more. followStream() yielded ${counted(got.length, 'quake')}.`,
    expected: 'Expected 1,001 quakes, because five minutes may contain a thousand quakes.',
    often: 'your client remembers too few IDs, or clears its set when the set is full.',
  })
  send(1001, MOST_IDS + 1)
  send(0, 1)
  server.send(recordOf({ ...happened[0]!, id: 'last' }))
  t.transcript.step(`the server sent ${MOST_IDS} more quakes, and the first one again`)
  await t.waitFor(() => got.at(-1)?.data.id === 'last', notGiven(happened[0]!))
  must(got.length === MOST_IDS + 3, {
    seen: `The server sent ${MOST_IDS + 1} different quakes, then the first quake again, and the client still remembered it.`,
    expected: `Expected your client to remember at most ${MOST_IDS} IDs, because a stream may run for months.`,
    often: 'your client never removes an ID from its set.',
  })
})

edgeCase('7.7i', 'a connection without a byte does not shorten the next backfill', async (t) => {
  const { server, clock, opens, delivers, backsOff } = await followScripted(t)
  await opens(1)
  await delivers(quakes(1)[0])
  server.cut()
  await backsOff()
  clock.advance(150_000)
  await opens(2)
  server.end()
  const ms = await backsOff(2)
  clock.advance(ms)
  await opens(3)
  mustAskFor(server, 3, 150_000 + ms, 'The second connection ended without a byte in its body.')
})

/** The failures after a stream that worked, and the waits after them in milliseconds. */
const FAILURES = [
  ['cut', 0],
  ['cut', 250],
  ['cut', 500],
  ['cut', 750],
  [503, 5000],
  [500, 10_000],
  [408, 20_000],
  [429, 60_000],
  [429, 120_000],
  ['cut', 1000],
  [503, 40_000],
] as const

function kindOf(failure: (typeof FAILURES)[number][0]): string {
  return failure === 'cut' || failure === 429 ? String(failure) : 'an HTTP error'
}

const WAITS_MIXED_UP =
  'your client has one count for all failures, or the same waits for failures of different kinds.'

/** The highest number of IDs that a client may remember. */
const MOST_IDS = 10_000

/** Checks the backfill_minutes of the request with the given number. Undefined means that there must be none. */
function mustAskFor(
  server: ScriptedServer,
  count: number,
  awayMs: number | undefined,
  why = '',
): void {
  const asked = server.requests[count - 1]!.query['backfill_minutes']
  const wanted =
    awayMs === undefined ? undefined : String(Math.min(5, Math.max(1, Math.ceil(awayMs / 60_000))))
  must(asked === wanted, {
    seen: `${awayMs === undefined ? 'The first request' : `The last byte had arrived ${seconds(awayMs)} before request ${count}, which`} had ${asked === undefined ? 'no backfill_minutes' : `backfill_minutes=${excerpt(String(asked))}`}. ${why}`.trim(),
    expected:
      wanted === undefined
        ? 'Expected no backfill_minutes, because the client has missed nothing yet.'
        : `Expected backfill_minutes=${wanted}, which is the time since the last byte in minutes, rounded up, and from 1 to 5.`,
  })
}

function seconds(ms: number): string {
  return `${ms / 1000} s`
}

/** Requires that an account has these rules and this version. */
async function mustHaveRules(
  account: Account,
  wanted: { data: { id: string }[]; version: number },
  after: string,
  often?: string,
): Promise<void> {
  const { data, version } = await account.list()
  must(deepEqual(byId(data), byId(wanted.data)), {
    seen: `${after}. GET ${RULES} was then answered with the "data" ${excerptJson(data, 120)}`,
    expected:
      wanted.data.length === 0
        ? 'Expected no rules.'
        : `Expected the rules ${excerptJson(wanted.data, 120)}`,
    often,
  })
  must(version === wanted.version, {
    seen: `${after}. GET ${RULES} was then answered with the version ${version}.`,
    expected: `Expected the version ${wanted.version}.`,
    often,
  })
}

function byId(rules: { id: string }[]): object[] {
  return rules.toSorted((one, other) => (one.id < other.id ? -1 : 1))
}
