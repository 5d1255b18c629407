import type { Tools } from '../check.ts'
import { tryParseJson } from '../equality.ts'
import { must } from '../failure.ts'
import { RawClient } from '../raw-client.ts'
import type { TestServer } from '../serve.ts'
import { excerpt, SILENT, type Transcript } from '../transcript.ts'
import { RecordStream, type Change } from './record-stream.ts'

export const STREAM = '/stream'
export const RULES = '/stream/rules'

/** A complete answer. `json` is undefined if the body is not JSON. */
export type Answer = { status: number; type: string; text: string; json: any }

export type NewRule = { value: string; tag?: string }

type SavedRule = NewRule & { id: string }

/** An account of the learner's server. Its methods send requests with its token. */
export type Account = {
  readonly server: TestServer
  /** Changes the rules, and requires that the server accepts the change. */
  change(change: { add?: NewRule[]; deleteIds?: string[] }): Promise<Changed>
  /** Sends a change that the server may refuse. */
  post(body: unknown, query?: string): Promise<Answer>
  list(): Promise<{ data: SavedRule[]; version: number }>
  /** Opens the stream, and requires that the server accepts the request. */
  open(options?: OpenOptions): Promise<RecordStream>
  /** Asks for the stream. Returns the answer if the server refuses it. */
  ask(options?: OpenOptions): Promise<RecordStream | Answer>
}

type Changed = { data: SavedRule[]; meta: Change }

type OpenOptions = { name?: string; query?: string }

type AccountOptions = {
  /** The bearer token. The default is the token that the server accepts by default. */
  token?: string
  /** The name of the client in the transcript. */
  name?: string
  transcript?: Transcript
}

export function accountOf(
  t: Tools,
  server: TestServer,
  { token = 'tremor', name = 'client', transcript = t.transcript }: AccountOptions = {},
): Account {
  const headers = { Authorization: `Bearer ${token}` }
  const request = (method: string, path: string, body?: string): Promise<Answer> =>
    sendRequest(t, server, { method, path, body, headers, name, transcript })

  async function post(body: unknown, query = ''): Promise<Answer> {
    return request('POST', `${RULES}${query}`, JSON.stringify(body))
  }

  async function ask({ name: its = name, query = '' }: OpenOptions = {}): Promise<
    RecordStream | Answer
  > {
    const client = new RawClient(server.port, { transcript, waiting: t, name: its })
    t.atEnd(() => client.close())
    const path = `${STREAM}${query}`
    const head = await client.get(
      path,
      {
        seen: `GET ${path} got no response head.`,
        expected: 'Expected the response head to be sent at once.',
        often:
          'your handler writes nothing until the first record, and Node sends the head together with the first write. Call res.flushHeaders().',
      },
      { headers },
    )
    return head.status === 200
      ? new RecordStream(client, head, transcript)
      : readAnswer(client, head)
  }

  return {
    server,
    post,
    ask,
    async change({ add, deleteIds }) {
      const body = { ...(add && { add }), ...(deleteIds && { delete: { ids: deleteIds } }) }
      const { status, text, json } = await post(body)
      must(status === 200 && Array.isArray(json?.data) && json.meta instanceof Object, {
        seen: `POST ${RULES} with ${excerpt(JSON.stringify(body), 90)} was answered with status ${status} and ${excerpt(text, 90)}`,
        expected: 'Expected status 200 and { "data": […], "meta": { … } }.',
      })
      return json
    },
    async list() {
      const { status, text, json } = await request('GET', RULES)
      must(status === 200 && Array.isArray(json?.data), {
        seen: `GET ${RULES} was answered with status ${status} and ${excerpt(text, 90)}`,
        expected:
          'Expected status 200 and { "data": [{ "id", "value", "tag" }], "meta": { "version" } }.',
      })
      return { data: json.data, version: json.meta?.version }
    },
    async open(options) {
      const stream = await ask(options)
      must(stream instanceof RecordStream, {
        seen: `GET ${STREAM}${options?.query ?? ''} was answered with status ${stream.status}.`,
        expected: 'Expected status 200.',
      })
      return stream
    },
  }
}

type Request = {
  method: string
  path: string
  body?: string | undefined
  headers?: Record<string, string>
  name?: string
  transcript?: Transcript
}

/** Sends a request on a connection of its own, and returns the complete answer. */
export async function sendRequest(
  t: Tools,
  server: TestServer,
  { method, path, body, headers, name = 'client', transcript = t.transcript }: Request,
): Promise<Answer> {
  const sent = `${method} ${path}${body === undefined ? '' : `  ${excerpt(body, 90)}`}`
  transcript.step(`${name}: ${sent}`, { at: name, to: 'server', label: sent })
  const client = new RawClient(server.port, { transcript: SILENT, waiting: t })
  t.atEnd(() => client.close())
  const story = {
    seen: `${method} ${path} got no answer.`,
    expected: 'Expected an answer at once.',
  }
  const head = await client.get(path, story, { method, body, ...(headers && { headers }) })
  const answer = await readAnswer(client, head)
  const got = `${answer.status}  ${excerpt(answer.text, 90)}`
  transcript.step(`${name} read ${got}`, { at: 'server', to: name, label: got })
  return answer
}

async function readAnswer(
  client: RawClient,
  { status, headers }: RecordStream['head'],
): Promise<Answer> {
  await client.ended({
    seen: `An answer with status ${status} did not end.`,
    expected: 'Expected the response to end, because only an accepted stream stays open.',
  })
  const text = client.unread()
  client.close()
  return { status, type: headers.get('content-type') ?? '', text, json: tryParseJson(text) }
}
