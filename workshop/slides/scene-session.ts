import { recorder as makeRecorder } from '../../wire/recorder.ts'
import type { Action, Answer, ServerState } from '../../protocol/page.ts'
import { connectPageClient, type PageClient } from '../session/page-client.ts'
import type { Session } from '../page/session.ts'
import { listeners } from '../session/listeners.ts'
import { wireActions } from '../session/wire-actions.ts'
import { runScene, type SceneProgram } from './scene-program.ts'
import type { Scene } from './scene.ts'
import { connectAnswerClient, type AnswerClient } from './answer-client.ts'
import { connectEventSource } from './event-source-client.ts'
import { connectStreamFollower } from './stream-follower.ts'

/** A session that runs one scene's program at a time, for as long as a page shows it. */
export type SceneSession = Session & {
  /** Makes every buffer between the server and its clients look full, or lets the clients read again. */
  fill(isFull: boolean): void
  /** The same session for people who only watch. They do not keep the program running, and cannot act. */
  readonly audience: Session
  close(): Promise<void>
}

/**
 * Creates a session in which no program runs yet.
 *
 * @param scenes returns the scenes that may be run
 */
export function sceneSession(scenes: () => Scene[]): SceneSession {
  const recorder = makeRecorder()
  const { tell, listen } = listeners()
  const wire = wireActions({ recorder, changed: tell })
  let scene: Scene | undefined
  let program: SceneProgram | undefined
  let server: ServerState = NOTHING_RUNS
  let clients: (PageClient | AnswerClient)[] = []
  let clientsSoFar = 0
  let rulesSoFar = 0
  let looking = 0
  /** The recorder's time when the program started. */
  let zero = 0
  /** The last start or stop of a program. The next start or stop waits for it. */
  let change: Promise<unknown> = Promise.resolve()

  function inTurn<T>(does: () => Promise<T>): Promise<T> {
    const mine = change.then(does)
    change = mine.catch(() => {})
    return mine
  }

  function serverBecomes(now: Partial<ServerState>): void {
    server = { ...server, ...now }
    tell('server')
  }

  async function run(name: string): Promise<Answer> {
    await stop()
    scene = scenes().find((each) => each.name === name)
    if (!scene) return { problem: `There is no "${name}" to run.` }
    serverBecomes({ state: 'starting', what: undefined, file: scene.program })
    wire.act({ do: 'clear' })
    program = await runScene(scene, {
      recorder,
      events: {
        running: () => serverBecomes({ state: 'running', what: undefined }),
        down: (what, detail) => serverBecomes({ state: 'down', what, detail }),
        notWritten: (what) => serverBecomes({ state: 'not written', what }),
        printed: (line) => serverBecomes({ printed: [line] }),
        feed: (readers) => serverBecomes({ readers }),
        leaks: (leaks) => serverBecomes({ leaks }),
        meter: (meter) => serverBecomes({ meter }),
        processes: () => tell('processes'),
      },
    })
    zero = recorder.now()
    tell('recording')
    const { url, token, question } = program
    serverBecomes({
      url,
      ...(token !== undefined && { token }),
      ...(question !== undefined && { question }),
    })
    rulesSoFar = 0
    clientsSoFar = 0
    wire.begin(program.tap)
    if (scene.steps.includes('proxy')) wire.act({ do: 'proxy', holds: '4 KiB' })
    return connect()
  }

  async function stop(): Promise<void> {
    for (const client of clients) client.leave()
    clients = []
    tell('clients')
    await program?.stop()
    program = undefined
    server = NOTHING_RUNS
    tell('server')
    tell('processes')
  }

  function connect(): Answer {
    if (!program) return NOTHING_TO_DO
    clientsSoFar += 1
    const { url, token, question } = server
    const reconnects = scene?.steps.includes('watch') ?? false
    const follow = token === undefined ? connectEventSource : connectStreamFollower
    const way = reconnects ? follow : connectPageClient
    const changed = (): void => tell('clients')
    const asked = { id: clientsSoFar, url, ...(token !== undefined && { token }), changed }
    const client =
      question === undefined
        ? way(asked)
        : connectAnswerClient({ ...asked, question, resumes: reconnects ? RESUMES : 0 })
    clients = [...clients, client].slice(-MOST_CLIENTS)
    changed()
    return { said: `Client ${clientsSoFar} connects.` }
  }

  async function nextRule(): Promise<Answer> {
    const rules = scene?.steps.flatMap((step) => (typeof step === 'object' ? step.rule : [])) ?? []
    const rule = rules[rulesSoFar % rules.length]
    if (!program || rule === undefined) return NOTHING_TO_DO
    rulesSoFar += 1
    recorder.note(`Rule: ${rule}`)
    await program.replaceRules(rule)
    return { said: `The rule is now ${rule}.` }
  }

  async function stopAnswer(): Promise<Answer> {
    const client = clients.at(-1)
    if (!client || !('stop' in client)) return NOTHING_TO_DO
    recorder.note('Stop')
    await client.stop()
    return { said: `The answer of client ${client.state.id} has been stopped.` }
  }

  async function act(action: Action): Promise<Answer> {
    const answer = wire.act(action)
    if (answer) return answer
    switch (action.do) {
      case 'run':
        return inTurn(() => run(action.scene))
      case 'connect':
        return connect()
      case 'next rule':
        return nextRule()
      case 'stop':
        return stopAnswer()
      case 'kill':
        return program?.kill()
          ? { said: 'A process has been killed. It restarts automatically.' }
          : NO_PROCESS
      case 'leave':
        clients.find(({ state }) => state.id === action.id)?.leave()
        return { said: `Client ${action.id} has disconnected.` }
      case 'burst':
        if (!server.readers && !program?.processes) return { problem: 'Nobody has the feed open.' }
        program?.burst(BURST)
        recorder.note(`${BURST.toLocaleString('en')} quakes happen at once`)
        return { said: `${BURST.toLocaleString('en')} quakes happen at once.` }
      default:
        return { problem: 'This cannot be done here.' }
    }
  }

  const audience: Session = {
    get state() {
      return {
        server,
        clients: clients.map(({ state }) => state),
        faults: wire.faults,
        recording: { ...wire.recording, zero },
        ...(program?.processes && { processes: program.processes.state }),
      }
    },
    recorder,
    act: async () => ({ problem: 'Only the instructor can do this.' }),
    listen,
  }
  return {
    get state() {
      return audience.state
    },
    recorder,
    audience,
    act,
    listen(changed) {
      const stopListening = listen(changed)
      looking += 1
      return () => {
        stopListening()
        looking -= 1
        // Stop the program, because no slide shows it any more, so nobody else can stop it.
        if (looking === 0) void inTurn(async () => (looking === 0 ? stop() : undefined))
      }
    },
    fill(isFull) {
      if (isFull) program?.fill()
      else program?.drain()
      recorder.note(isFull ? 'The client stalls' : 'The client reads again')
    },
    close: () => inTurn(stop),
  }
}

const NOTHING_RUNS: ServerState = {
  state: 'down',
  what: 'No program is running.',
  url: '',
  printed: [],
}
const NOTHING_TO_DO: Answer = { problem: 'No program is running. Press Run first.' }
const NO_PROCESS: Answer = { problem: 'There is no process to kill.' }
const MOST_CLIENTS = 8
/** How many times in a row a client that watches fetches the rest of an answer. */
const RESUMES = 3
const BURST = 10_000
