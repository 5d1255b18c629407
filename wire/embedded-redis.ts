import { createServer, type Socket } from 'node:net'
import { listenOnFreePort } from './listen.ts'
import { RespError, respReader } from './resp.ts'

/**
 * A Redis in this process, for machines without redis-server. It knows the commands that a log on a stream needs, and
 * answers them as Redis 7.0 does. Everything else is an error that says so.
 */
export type EmbeddedRedis = {
  readonly port: number
  /** Closes all connections, and stops. */
  stop(): Promise<void>
  /** Starts again, on another port. */
  start(options: { keepsData: boolean }): Promise<void>
}

export async function startEmbeddedRedis(): Promise<EmbeddedRedis> {
  let database = newDatabase()
  let running = await listen(database)
  return {
    get port() {
      return running.port
    },
    stop: () => running.stop(),
    async start({ keepsData }) {
      if (!keepsData) database = newDatabase()
      running = await listen(database)
    },
  }
}

/** The streams by key, and the readers that wait for an entry. */
type Database = { streams: Map<string, Stream>; blocked: Set<BlockedReader> }

function newDatabase(): Database {
  return { streams: new Map(), blocked: new Set() }
}

async function listen(database: Database): Promise<{ port: number; stop(): Promise<void> }> {
  const sockets = new Set<Socket>()
  const clients = new Map<number, Client>()
  const server = createServer((socket) => {
    sockets.add(socket)
    const client = serveClient(socket, database, clients)
    socket.on('close', () => {
      sockets.delete(socket)
      clients.delete(client.id)
      client.blockedReader?.end()
    })
  })
  const port = await listenOnFreePort(server)
  return {
    port,
    stop() {
      const stopped = new Promise<void>((resolve) => server.close(() => resolve()))
      for (const socket of sockets) socket.destroy()
      return stopped
    },
  }
}

type Client = {
  readonly id: number
  /** The version of the protocol in which the client gets its replies. */
  protocol: 2 | 3
  name: string
  /** The XREAD that blocks the client's connection. */
  blockedReader?: BlockedReader | undefined
}

type BlockedReader = {
  /** Looks for new entries. If there are any, replies with them. */
  look(): void
  /** Ends the wait. @param reply what to reply; nothing if the client has disconnected */
  end(reply?: Reply): void
}

/** A reply. In version 3 of the protocol, pairs are written as a map. */
type Reply = string | number | null | RespError | Status | Pairs | Reply[]
type Status = { status: string }
type Pairs = { pairs: [string, Reply][]; isFlat: boolean }

const OK: Status = { status: 'OK' }

let lastClient = 0

function serveClient(socket: Socket, database: Database, clients: Map<number, Client>): Client {
  const client: Client = { id: (lastClient += 1), protocol: 2, name: '' }
  clients.set(client.id, client)
  const commands: string[][] = []
  const reader = respReader()
  socket.setNoDelay()
  socket.on('error', () => {})
  socket.on('data', (bytes) => {
    try {
      for (const { value } of reader.push(bytes)) commands.push((value as unknown[]).map(String))
    } catch {
      socket.end('-ERR Protocol error\r\n')
    }
    answerAll()
  })

  /** Answers the waiting commands. An XREAD that blocks makes the commands after it wait. */
  function answerAll(): void {
    while (!client.blockedReader) {
      const args = commands.shift()
      if (!args) return
      const reply = answered(args)
      if (reply !== LATER) send(reply)
      if (args[0]!.toUpperCase() === 'QUIT') socket.end()
    }
  }

  function answered([name, ...args]: string[]): Reply | typeof LATER {
    const command = COMMANDS[name!.toUpperCase()]
    if (!command) return unknownCommand(name!)
    try {
      return command({ args, database, client, clients, block })
    } catch (error) {
      if (error instanceof RespError) return error
      throw error
    }
  }

  function block(look: () => Reply | undefined, ms: number): void {
    const timer = ms > 0 ? setTimeout(() => blocked.end(null), ms) : undefined
    const blocked: BlockedReader = {
      look() {
        const reply = look()
        if (reply !== undefined) blocked.end(reply)
      },
      end(reply) {
        clearTimeout(timer)
        database.blocked.delete(blocked)
        client.blockedReader = undefined
        if (reply === undefined) return
        send(reply)
        answerAll()
      },
    }
    client.blockedReader = blocked
    database.blocked.add(blocked)
  }

  function send(reply: Reply): void {
    if (!socket.destroyed) socket.write(encode(reply, client.protocol))
  }

  return client
}

/** The result of a command whose reply comes later. */
const LATER = Symbol('later')

function unknownCommand(name: string): RespError {
  return new RespError(
    `ERR unknown command '${name}'. This is the workshop's embedded Redis, which knows only what lesson 9 needs. npm run setup installs the real one.`,
  )
}

function encode(reply: Reply, protocol: 2 | 3): string {
  if (reply === null) return protocol === 3 ? '_\r\n' : '*-1\r\n'
  if (typeof reply === 'number') return `:${reply}\r\n`
  if (typeof reply === 'string') return `$${Buffer.byteLength(reply)}\r\n${reply}\r\n`
  if (reply instanceof RespError) return `-${reply.message}\r\n`
  if (Array.isArray(reply)) return `*${reply.length}\r\n${encodeAll(reply, protocol)}`
  if ('status' in reply) return `+${reply.status}\r\n`
  const { pairs, isFlat } = reply
  if (protocol === 3) return `%${pairs.length}\r\n${encodeAll(pairs.flat(), protocol)}`
  return encode(isFlat ? pairs.flat() : pairs, protocol)
}

function encodeAll(replies: Reply[], protocol: 2 | 3): string {
  return replies.map((reply) => encode(reply, protocol)).join('')
}

type Call = {
  args: string[]
  database: Database
  client: Client
  clients: Map<number, Client>
  /** Makes the client wait until `look` returns a reply. @param ms the longest wait; 0 waits indefinitely */
  block(look: () => Reply | undefined, ms: number): void
}

const COMMANDS: Record<string, (call: Call) => Reply | typeof LATER> = {
  PING({ args }) {
    mustHave(args.length <= 1, 'ping')
    return args[0] ?? { status: 'PONG' }
  },
  QUIT: () => OK,
  SELECT({ args: [index, ...others] }) {
    mustHave(index !== undefined && others.length === 0, 'select')
    if (!/^-?\d+$/.test(index)) throw new RespError('ERR value is not an integer or out of range')
    if (index !== '0') throw new RespError('ERR DB index is out of range')
    return OK
  },
  HELLO({ args: [version = '2', ...options], client }) {
    if (!['2', '3'].includes(version)) throw new RespError('NOPROTO unsupported protocol version')
    const setName = options.findIndex((option) => /^setname$/i.test(option))
    const name = setName === -1 ? undefined : options[setName + 1]
    if (name !== undefined) client.name = name
    client.protocol = version === '3' ? 3 : 2
    return flatPairs({
      server: 'redis',
      version: '7.0.15',
      proto: client.protocol,
      id: client.id,
      mode: 'standalone',
      role: 'master',
      modules: [],
    })
  },
  CLIENT({ args: [subcommand = '', ...args], client, clients }) {
    switch (subcommand.toUpperCase()) {
      case 'ID':
        return client.id
      case 'SETNAME':
        client.name = args[0] ?? ''
        return OK
      case 'GETNAME':
        return client.name || null
      case 'SETINFO':
        return OK
      case 'UNBLOCK':
        return unblock(clients.get(Number(args[0])), args[1])
      default:
        return unknownCommand(`CLIENT ${subcommand}`)
    }
  },
  EXISTS({ args, database: { streams } }) {
    mustHave(args.length > 0, 'exists')
    return args.filter((key) => streams.has(key)).length
  },
  DEL({ args, database: { streams } }) {
    mustHave(args.length > 0, 'del')
    return args.filter((key) => streams.delete(key)).length
  },
  XADD({ args, database }) {
    return xadd(args, database)
  },
  XLEN({ args, database: { streams } }) {
    mustHave(args.length === 1, 'xlen')
    return streams.get(args[0]!)?.entries.length ?? 0
  },
  XRANGE({ args: [key, start, end, ...rest], database }) {
    return xrange({ key, start, end, rest, name: 'xrange' }, database)
  },
  XREVRANGE({ args: [key, end, start, ...rest], database }) {
    return xrange({ key, start, end, rest, name: 'xrevrange' }, database)
  },
  XREAD: xread,
  XTRIM({ args: [key, ...args], database: { streams } }) {
    mustHave(key !== undefined && args.length >= 2, 'xtrim')
    const { trim, rest } = trimOption(args)
    if (!trim || rest.length > 0) throw new RespError(SYNTAX)
    const stream = streams.get(key)
    return stream ? trimStream(stream, trim) : 0
  },
  XINFO({ args: [subcommand = '', key], database: { streams } }) {
    if (subcommand.toUpperCase() !== 'STREAM') return unknownCommand(`XINFO ${subcommand}`)
    mustHave(key !== undefined, 'xinfo|stream')
    const stream = streams.get(key)
    if (!stream) throw new RespError('ERR no such key')
    const { entries, last, added } = stream
    return flatPairs({
      length: entries.length,
      'last-generated-id': textOf(last),
      // A trim does not count as a deletion, and there is no XDEL.
      'max-deleted-entry-id': textOf(ZERO),
      'entries-added': added,
      'recorded-first-entry-id': textOf(entries[0]?.id ?? ZERO),
      groups: 0,
      'first-entry': entries[0] ? entryReply(entries[0]) : null,
      'last-entry': entries.length > 0 ? entryReply(entries.at(-1)!) : null,
    })
  },
}

function flatPairs(fields: Record<string, Reply>): Pairs {
  return { pairs: Object.entries(fields), isFlat: true }
}

/** Throws Redis's error about the number of arguments if `holds` is false. */
function mustHave(holds: boolean, command: string): asserts holds {
  if (!holds) throw new RespError(`ERR wrong number of arguments for '${command}' command`)
}

function unblock(client: Client | undefined, how = 'TIMEOUT'): Reply {
  const reader = client?.blockedReader
  if (!/^(timeout|error)$/i.test(how)) {
    throw new RespError('ERR CLIENT UNBLOCK reason should be TIMEOUT or ERROR')
  }
  const isError = /^error$/i.test(how)
  const error = 'UNBLOCKED client unblocked via CLIENT UNBLOCK'
  reader?.end(isError ? new RespError(error) : null)
  return reader ? 1 : 0
}

// Streams

/** An ID is a pair of numbers with up to 20 digits, so it must not be compared as a string or a float. */
type Id = { ms: bigint; seq: bigint }
type Entry = { id: Id; fields: string[] }

type Stream = {
  entries: Entry[]
  last: Id
  /** The number of entries that were ever added. */
  added: number
  /** The nodes in which Redis stores the entries. A trim with `~` removes only whole nodes. */
  nodes: { count: number; size: number; bytes: number }[]
}

const ZERO: Id = { ms: 0n, seq: 0n }
const MAX = 2n ** 64n - 1n
const GREATEST: Id = { ms: MAX, seq: MAX }

function textOf({ ms, seq }: Id): string {
  return `${ms}-${seq}`
}

function compare(one: Id, other: Id): number {
  if (one.ms !== other.ms) return one.ms < other.ms ? -1 : 1
  if (one.seq === other.seq) return 0
  return one.seq < other.seq ? -1 : 1
}

/** Parses `ms-seq` or `ms`. @param seq the second number if there is none */
function parseId(text: string, seq: bigint): Id | undefined {
  const [, ms, own] = /^(\d{1,20})(?:-(\d{1,20}))?$/.exec(text) ?? []
  if (ms === undefined) return undefined
  const id = { ms: BigInt(ms), seq: own === undefined ? seq : BigInt(own) }
  return id.ms > MAX || id.seq > MAX ? undefined : id
}

function mustParseId(text: string, seq: bigint): Id {
  const id = parseId(text, seq)
  if (!id) throw new RespError(INVALID_ID)
  return id
}

const SYNTAX = 'ERR syntax error'
const INVALID_ID = 'ERR Invalid stream ID specified as stream command argument'
const NOT_INTEGER = 'ERR value is not an integer or out of range'

function xadd([key, ...args]: string[], { streams, blocked }: Database): Reply {
  mustHave(key !== undefined && args.length >= 3, 'xadd')
  let noMake = false
  let trim: Trim | undefined
  let rest = args
  for (;;) {
    if (/^nomkstream$/i.test(rest[0] ?? '')) {
      noMake = true
      rest = rest.slice(1)
    } else if (/^(maxlen|minid)$/i.test(rest[0] ?? '')) {
      ;({ trim, rest } = trimOption(rest))
    } else break
  }
  const [idText, ...fields] = rest
  if (idText === undefined) throw new RespError(SYNTAX)
  const isAuto = idText === '*'
  const partial = /^(\d{1,20})-\*$/.exec(idText)
  const given = isAuto || partial ? undefined : mustParseId(idText, 0n)
  mustHave(fields.length >= 2 && fields.length % 2 === 0, 'xadd')
  if (given && compare(given, ZERO) === 0) {
    throw new RespError('ERR The ID specified in XADD must be greater than 0-0')
  }
  const known = streams.get(key)
  if (!known && noMake) return null
  const last = known?.last ?? ZERO
  if (compare(last, GREATEST) === 0) throw new RespError(EXHAUSTED)
  const id = given ?? (partial ? nextIn(BigInt(partial[1]!), last) : nextId(last))
  if (!id || compare(id, last) <= 0) throw new RespError(TOO_SMALL)
  const stream = known ?? newStream()
  streams.set(key, stream)
  append(stream, { id, fields })
  if (trim) trimStream(stream, trim)
  for (const reader of blocked) reader.look()
  return textOf(id)
}

const EXHAUSTED = 'ERR The stream has exhausted the last possible ID, unable to add more items'
const TOO_SMALL = 'ERR The ID specified in XADD is equal or smaller than the target stream top item'

function newStream(): Stream {
  return { entries: [], last: ZERO, added: 0, nodes: [] }
}

function nextId(last: Id): Id {
  const ms = BigInt(Date.now())
  return ms > last.ms ? { ms, seq: 0n } : { ms: last.ms, seq: last.seq + 1n }
}

/** Returns the next ID in a given millisecond, or undefined if that millisecond has passed. */
function nextIn(ms: bigint, last: Id): Id | undefined {
  if (ms < last.ms) return undefined
  if (ms > last.ms) return { ms, seq: 0n }
  return { ms, seq: last.seq + 1n }
}

function append(stream: Stream, entry: Entry): void {
  stream.entries.push(entry)
  stream.last = entry.id
  stream.added += 1
  const bytes = entry.fields.reduce((sum, field) => sum + Buffer.byteLength(field) + 2, 10)
  const node = stream.nodes.at(-1)
  if (node && node.size < NODE_ENTRIES && node.bytes + bytes < NODE_BYTES) {
    node.count += 1
    node.size += 1
    node.bytes += bytes
  } else stream.nodes.push({ count: 1, size: 1, bytes })
}

const NODE_ENTRIES = 100
const NODE_BYTES = 4096

type Trim = { isAbout: boolean } & ({ maxLength: number } | { minId: Id })

/** Parses `MAXLEN ~ 1000` or `MINID = 5-0`, with an optional `LIMIT`. */
function trimOption([kind = '', ...args]: string[]): { trim?: Trim; rest: string[] } {
  const isMaxLen = /^maxlen$/i.test(kind)
  if (!isMaxLen && !/^minid$/i.test(kind)) return { rest: [kind, ...args] }
  const hasSign = args[0] === '~' || args[0] === '='
  const isAbout = args[0] === '~'
  const [threshold, ...after] = hasSign ? args.slice(1) : args
  if (threshold === undefined) throw new RespError(SYNTAX)
  const hasLimit = /^limit$/i.test(after[0] ?? '') && after.length > 1
  const rest = hasLimit ? after.slice(2) : after
  const limit = isMaxLen
    ? { maxLength: wholeNumber(threshold) }
    : { minId: mustParseId(threshold, 0n) }
  if (limit.maxLength !== undefined && limit.maxLength < 0) {
    throw new RespError('ERR The MAXLEN argument must be >= 0.')
  }
  if (hasLimit && !isAbout) {
    throw new RespError('ERR syntax error, LIMIT cannot be used without the special ~ option')
  }
  return { trim: { isAbout, ...limit } as Trim, rest }
}

function wholeNumber(text: string, message = NOT_INTEGER): number {
  const number = /^-?(0|[1-9]\d*)$/.test(text) ? Number(text) : Number.NaN
  if (!Number.isSafeInteger(number)) throw new RespError(message)
  return number
}

/** Removes the oldest entries, and returns their number. */
function trimStream(stream: Stream, trim: Trim): number {
  const { entries, nodes } = stream
  const isKept = ({ id }: Entry): boolean => !('minId' in trim) || compare(id, trim.minId) >= 0
  const firstKept = entries.findIndex(isKept)
  const tooOld = firstKept === -1 ? entries.length : firstKept
  const excess = 'maxLength' in trim ? Math.max(0, entries.length - trim.maxLength) : tooOld
  let removed = 0
  while (nodes[0] && removed + nodes[0].count <= excess) removed += nodes.shift()!.count
  if (!trim.isAbout && removed < excess) {
    nodes[0]!.count -= excess - removed
    removed = excess
  }
  entries.splice(0, removed)
  return removed
}

function entryReply({ id, fields }: Entry): Reply {
  return [textOf(id), fields]
}

type Range = {
  key: string | undefined
  start: string | undefined
  end: string | undefined
  rest: string[]
  name: 'xrange' | 'xrevrange'
}

function xrange({ key, start, end, rest, name }: Range, { streams }: Database): Reply {
  mustHave(key !== undefined && start !== undefined && end !== undefined, name)
  const from = bound(start, 0n)
  if (from.isExclusive && compare(from.id, GREATEST) === 0) {
    throw new RespError('ERR invalid start ID for the interval')
  }
  const to = bound(end, MAX)
  if (to.isExclusive && compare(to.id, ZERO) === 0) {
    throw new RespError('ERR invalid end ID for the interval')
  }
  const most = countOption(rest)
  const stream = streams.get(key)
  if (!stream) return []
  if (most === 0) return null
  const entries = stream.entries.filter(({ id }) => {
    const [afterStart, beforeEnd] = [compare(id, from.id), compare(to.id, id)]
    return afterStart >= (from.isExclusive ? 1 : 0) && beforeEnd >= (to.isExclusive ? 1 : 0)
  })
  return (name === 'xrange' ? entries : entries.toReversed()).slice(0, most).map(entryReply)
}

/** Parses one end of a range: `-`, `+`, an ID, or an ID after `(`, which is exclusive. */
function bound(text: string, seq: bigint): { id: Id; isExclusive: boolean } {
  if (text === '-') return { id: ZERO, isExclusive: false }
  if (text === '+') return { id: GREATEST, isExclusive: false }
  const isExclusive = text.startsWith('(')
  return { id: mustParseId(isExclusive ? text.slice(1) : text, seq), isExclusive }
}

function countOption(args: string[]): number | undefined {
  let most: number | undefined
  for (let n = 0; n < args.length; n += 2) {
    if (!/^count$/i.test(args[n]!) || args[n + 1] === undefined) throw new RespError(SYNTAX)
    most = Math.max(0, wholeNumber(args[n + 1]!))
  }
  return most
}

function xread({ args, database, block }: Call): Reply | typeof LATER {
  mustHave(args.length >= 3, 'xread')
  let most: number | undefined
  let blockMs: number | undefined
  let n = 0
  for (; n < args.length && !/^streams$/i.test(args[n]!); n += 2) {
    const value = args[n + 1]
    if (value === undefined) throw new RespError(SYNTAX)
    if (/^count$/i.test(args[n]!)) most = Math.max(0, wholeNumber(value))
    else if (/^block$/i.test(args[n]!)) {
      blockMs = wholeNumber(value, 'ERR timeout is not an integer or out of range')
      if (blockMs < 0) throw new RespError('ERR timeout is negative')
    } else throw new RespError(SYNTAX)
  }
  const names = args.slice(n + 1)
  if (names.length === 0) throw new RespError(SYNTAX)
  if (names.length % 2 !== 0) {
    throw new RespError(
      "ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must be specified.",
    )
  }
  const keys = names.slice(0, names.length / 2)
  const cursors = names.slice(names.length / 2).map((text, index) => {
    if (text === '$') return database.streams.get(keys[index]!)?.last ?? ZERO
    return mustParseId(text, 0n)
  })
  const look = (): Reply | undefined => {
    const pairs = keys.flatMap((key, index): [string, Reply][] => {
      const entries = database.streams.get(key)?.entries ?? []
      const fresh = entries.filter(({ id }) => compare(id, cursors[index]!) > 0)
      return fresh.length === 0 ? [] : [[key, fresh.slice(0, most || undefined).map(entryReply)]]
    })
    return pairs.length === 0 ? undefined : { pairs, isFlat: false }
  }
  const found = look()
  if (found !== undefined) return found
  if (blockMs === undefined) return null
  block(look, blockMs)
  return LATER
}
