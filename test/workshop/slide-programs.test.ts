import { once } from 'node:events'
import { connect } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import type { Recorder } from '../../wire/recorder.ts'
import { sceneIn, type Scene } from '../../workshop/slides/scene.ts'
import { sceneSession, type SceneSession } from '../../workshop/slides/scene-session.ts'

// Tests the programs that an instructor runs on slides, with the real tools.

let session: SceneSession
afterEach(() => session.close())

test('the solution with a proxy: each connection is seen at three hops, under one number', async () => {
  session = running('solutions/04-buffering\nproxy\nconnect')
  await session.act({ do: 'run', scene: 'a' })
  expect(session.state).toMatchObject({
    server: { state: 'running' },
    faults: { proxy: '4 KiB' },
  })
  const { recorder } = session
  await until(recorder, () => hopsOf(recorder).has('client'))
  expect([...hopsOf(recorder)].toSorted()).toEqual(['client', 'proxy', 'server'])
  const entries = recorder.after(0, Infinity).filter(({ kind }) => kind !== 'note')
  expect(new Set(entries.map((entry) => 'connection' in entry && entry.connection))).toEqual(
    new Set([1]),
  )
  // All times are from one clock, so nothing arrives at the client before it was at the server.
  const [server, client] = ['server', 'client'].map((hop) =>
    entries.find(
      (entry) => entry.kind === 'arrived' && entry.hop === hop && entry.direction === 'response',
    )!,
  )
  expect(server!.at).toBeLessThanOrEqual(client!.at)
})

test('a mistake in place of the solution: the proxy buffers the stream', async () => {
  session = running('test/mistakes/lesson4/says-nothing-to-nginx\nproxy\nconnect')
  await session.act({ do: 'run', scene: 'a' })
  const { recorder } = session
  await until(recorder, () => responses(recorder, 'server').length > 2)
  expect(responses(recorder, 'client')).toEqual([])
  // Send more than the proxy can buffer.
  await session.act({ do: 'burst' })
  await until(recorder, () => responses(recorder, 'client').length > 0)
})

test('after the proxy is removed, new connections go straight to the server', async () => {
  session = running('solutions/04-buffering\nproxy\nconnect')
  await session.act({ do: 'run', scene: 'a' })
  await session.act({ do: 'proxy', holds: null })
  await session.act({ do: 'connect' })
  const { recorder } = session
  await until(recorder, () => responses(recorder, 'client', 2).length > 0)
  expect([...hopsOf(recorder, 2)].toSorted()).toEqual(['client', 'server'])
})

test('an EventSource reconnects after a cut, and the wire shows the cut', async () => {
  session = running('solutions/02-server-sent-events\nwatch')
  await session.act({ do: 'run', scene: 'a' })
  const { recorder } = session
  await until(recorder, () => responses(recorder, 'client').length > 0)
  await session.act({ do: 'cut' })
  await until(recorder, () => responses(recorder, 'client', 2).length > 0)
  const closed = recorder.after(0, Infinity).find(({ kind }) => kind === 'closed')
  expect(closed).toMatchObject({ by: 'workshop', isFailure: true })
})

test('a filtered stream gets the next rule of the scene, and one stream too many is refused', async () => {
  session = running('solutions/07-filtered-stream\nconnect\nrule magnitude >= 1\nrule depth > 0')
  await session.act({ do: 'run', scene: 'a' })
  const { recorder } = session
  await until(recorder, () => textOf(recorder, 'response').includes('application/x-ndjson'))
  for (const rule of ['magnitude >= 1', 'depth > 0', 'magnitude >= 1'])
    expect(await session.act({ do: 'next rule' })).toEqual({ said: `The rule is now ${rule}.` })
  await until(recorder, () =>
    textOf(recorder, 'response').includes('{"version":3,"added":["3"],"deleted":["2"]}'),
  )
  await session.act({ do: 'connect' })
  await session.act({ do: 'connect' })
  await until(recorder, () => textOf(recorder, 'response').includes(' 429 '))
})

test('the client of a filtered stream reconnects after a cut, and asks for the backfill', async () => {
  session = running('solutions/07-filtered-stream\nwatch\nrule magnitude >= 0')
  await session.act({ do: 'run', scene: 'a' })
  const { recorder } = session
  await until(recorder, () => textOf(recorder, 'response').includes('application/x-ndjson'))
  await session.act({ do: 'next rule' })
  await until(recorder, () => session.state.clients.some(({ quakes }) => quakes > 0))
  await session.act({ do: 'cut' })
  await until(recorder, () => textOf(recorder, 'request').includes('?backfill_minutes=1'))
})

test('a client asks a question, fetches the rest of the answer after a cut, and stops it by its name', async () => {
  session = running('solutions/10-answers-over-post\nwatch\nstop')
  await session.act({ do: 'run', scene: 'a' })
  const { recorder } = session
  await until(recorder, () => textOf(recorder, 'response').includes('id: 1\ndata: '))
  await session.act({ do: 'cut' })
  await until(recorder, () => textOf(recorder, 'request').includes('GET /answers/'))
  await until(recorder, () => textAt(recorder, 2).includes('id: '))
  expect(await session.act({ do: 'stop' })).toEqual({
    said: 'The answer of client 1 has been stopped.',
  })
  await until(recorder, () => textAt(recorder, 2).includes('event: stopped'))
  expect(textOf(recorder, 'request').match(/^POST .*(?= HTTP)/gm)).toEqual([
    'POST /answers',
    expect.stringMatching(/^POST \/answers\/[0-9a-f-]{36}\/stop$/),
  ])
})

test('a client of a killed process resumes at another one', async () => {
  session = running('solutions/09-scale-out\nwatch\nkill')
  await session.act({ do: 'run', scene: 'a' })
  const { recorder } = session
  await until(recorder, () => textAt(recorder, 1).includes('id: '))
  expect(await session.act({ do: 'kill' })).toEqual({
    said: 'A process has been killed. It restarts automatically.',
  })
  await until(recorder, () => textAt(recorder, 2).includes('id: '))
  expect(textOf(recorder, 'request')).toMatch(/^Last-Event-ID: \d+-\d+\r$/im)
  const ids = [1, 2].flatMap((each) => textAt(recorder, each).match(/^id: .+$/gm) ?? [])
  expect(new Set(ids).size).toBe(ids.length)
  expect(textAt(recorder, 2)).not.toContain('event: gap')
  const notes = recorder
    .after(0, Infinity)
    .flatMap((each) => (each.kind === 'note' ? each.text : []))
  const [, killed] = /^Connection 1 goes to (process \d)$/.exec(notes[0]!)!
  expect(notes[1]).toBe(`Killed ${killed}`)
  expect(notes.find((note) => note.startsWith('Connection 2'))).not.toContain(killed)
})

test('after full buffers, a client gets a gap and the newest items', async () => {
  session = running('solutions/08-many-sources\nlimit 20\n?when_slow=drop-oldest\nconnect')
  await session.act({ do: 'run', scene: 'a' })
  const { recorder } = session
  await until(recorder, () => textAt(recorder, 1).includes('data: {"source"'))
  session.fill(true)
  // The second client connects after that, so it shows how far the server is.
  await session.act({ do: 'connect' })
  await until(recorder, () => textAt(recorder, 2).includes('"limit":20'))
  await session.act({ do: 'burst' })
  await until(recorder, () => /^id: [2-9]\d\d$/m.test(textAt(recorder, 2)))
  expect(textAt(recorder, 1)).not.toContain('event: gap')
  session.fill(false)
  await until(recorder, () => textAt(recorder, 1).includes('event: gap'))
})

test('the program ends when its last viewer has disconnected', async () => {
  session = running('solutions/01-raw-chunks\nconnect')
  const leave = session.listen(() => {})
  await session.act({ do: 'run', scene: 'a' })
  const { hostname, port } = new URL(session.state.server.url)
  const socket = connect(Number(port), hostname)
  await once(socket, 'connect')
  // The connection is either reset, which is an error, or ended.
  const closed = new Promise((resolve) => socket.on('error', () => {}).once('close', resolve))
  leave()
  await closed
  const late = connect(Number(port), hostname)
  const [refused] = await once(late, 'error')
  expect(refused).toMatchObject({ code: 'ECONNREFUSED' })
  expect(session.state.server).toMatchObject({ state: 'down', url: '' })
})

test('each run begins at 0 seconds, with client 1', async () => {
  session = running('solutions/01-raw-chunks\nconnect')
  const { recorder } = session
  for (const run of ['first', 'second']) {
    const before = recorder.now()
    await session.act({ do: 'run', scene: 'a' })
    const { clients, recording } = session.state
    expect(clients, run).toMatchObject([{ id: 1 }])
    await until(recorder, () => recorder.newest >= recording.from)
    const opened = recorder.after(recording.from - 1, 1)[0]!
    expect(recording.zero).toBeGreaterThan(before)
    expect(recording.zero).toBeLessThanOrEqual(opened.at)
  }
})

test('the audience sees the run, but neither keeps it running nor changes it', async () => {
  session = running('solutions/01-raw-chunks\nconnect')
  const { audience } = session
  const seen = new Set<string>()
  audience.listen((slice) => seen.add(slice))
  const leave = session.listen(() => {})
  await session.act({ do: 'run', scene: 'a' })
  expect(audience.state).toEqual(session.state)
  expect(seen).toContain('recording')
  expect(await audience.act({ do: 'cut' })).toEqual({
    problem: 'Only the instructor can do this.',
  })
  leave()
  await session.close()
  expect(audience.state.server.state).toBe('down')
})

test('only the scenes of the deck can be run', async () => {
  session = running('solutions/01-raw-chunks\nconnect')
  expect(await session.act({ do: 'run', scene: 'b' })).toEqual({
    problem: 'There is no "b" to run.',
  })
  expect(await session.act({ do: 'connect' })).toEqual({
    problem: 'No program is running. Press Run first.',
  })
  expect(await session.act({ do: 'kill' })).toEqual({ problem: 'There is no process to kill.' })
  expect(await session.act({ do: 'grade' })).toEqual({ problem: 'This cannot be done here.' })
})

function running(text: string): SceneSession {
  const scene: Scene = sceneIn('a', text)
  return sceneSession(() => [scene])
}

/** Waits until the entries on the wire satisfy a condition. */
function until(recorder: Recorder, isTrue: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = (): void => {
      if (isTrue()) resolve()
    }
    recorder.listen(look)
    look()
  })
}

function responses(recorder: Recorder, hop: string, connection = 1): number[] {
  return recorder
    .after(0, Infinity)
    .filter((entry) => entry.kind === 'arrived' && entry.direction === 'response')
    .filter((entry) => 'hop' in entry && entry.hop === hop && entry.connection === connection)
    .map(({ n }) => n)
}

/** Returns everything that has arrived on the client's side in this direction. */
function textOf(recorder: Recorder, direction: 'request' | 'response'): string {
  return recorder
    .recordedAfter(0, Infinity)
    .filter(({ entry }) => entry.kind === 'arrived' && entry.hop === 'client')
    .filter(({ entry }) => 'direction' in entry && entry.direction === direction)
    .map(({ bytes }) => Buffer.from(bytes ?? []).toString())
    .join('')
}

/** Returns everything that has arrived at a client, as text. */
function textAt(recorder: Recorder, connection: number): string {
  const arrived = responses(recorder, 'client', connection)
  return recorder
    .recordedAfter(0, Infinity)
    .filter(({ entry }) => arrived.includes(entry.n))
    .map(({ bytes }) => Buffer.from(bytes!).toString())
    .join('')
}

function hopsOf(recorder: Recorder, connection = 1): Set<string> {
  return new Set(
    recorder
      .after(0, Infinity)
      .flatMap((entry) =>
        entry.kind === 'arrived' &&
        entry.direction === 'response' &&
        entry.connection === connection
          ? [entry.hop]
          : [],
      ),
  )
}
