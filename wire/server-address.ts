import { connect, type Socket } from 'node:net'
import { connect as connectTls, type TLSSocket } from 'node:tls'

/** Where a server listens, and how it is spoken to. */
export type ServerAddress = {
  port: number
  /** A name or an address; 127.0.0.1 by default. */
  host?: string
  /** The TLS connection, if the server needs one. */
  tls?: {
    /** Whether to accept any certificate. */
    isInsecure: boolean
  }
}

/** A connection to a server: the socket that carries the bytes of HTTP and, below it, that of TCP. */
export type ServerConnection = {
  socket: Socket
  tcp: Socket
  /** Resolves with the protocol that TLS has agreed on, or `http/1.1`, as soon as the server can be asked. */
  isReady: Promise<string>
}

/** Connects to a server. `isReady` rejects if that fails, and the socket is closed. */
export function connectTo({ port, host = '127.0.0.1', tls }: ServerAddress): ServerConnection {
  const tcp = connect({ port, host, allowHalfOpen: true, noDelay: true })
  if (!tls) return { socket: tcp, tcp, isReady: ready(tcp, 'connect', () => 'http/1.1') }
  const socket: TLSSocket = connectTls({
    socket: tcp,
    ...(isName(host) && { servername: host }),
    ALPNProtocols: ['http/1.1', 'h2'],
    rejectUnauthorized: !tls.isInsecure,
  })
  // An error of TCP before TLS begins is an error of the connection.
  tcp.once('error', (error) => socket.destroy(error))
  return {
    socket,
    tcp,
    isReady: ready(socket, 'secureConnect', () => socket.alpnProtocol || 'http/1.1'),
  }
}

/** Describes why a server could not be reached: `nothing listens at 127.0.0.1:8080`. */
export function whyUnreachable(error: NodeJS.ErrnoException, address: ServerAddress): string {
  const { host, tls } = address
  const where = authorityOf(address)
  const { code = error.message } = error
  switch (code) {
    case 'ECONNREFUSED':
      return `nothing listens at ${where}`
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `the name ${host} does not resolve`
    case 'ETIMEDOUT':
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return `${where} does not answer (${code})`
    case 'ERR_SSL_WRONG_VERSION_NUMBER':
    case 'ERR_SSL_PACKET_LENGTH_TOO_LONG':
      return `the server at ${where} does not speak TLS`
    default:
      return tls && isAboutCertificate(code)
        ? `the certificate of ${where} is not trusted (${code})`
        : `${where} cannot be reached (${code})`
  }
}

/** Returns the host and the port, as in a URL. */
export function authorityOf({ host = '127.0.0.1', port }: ServerAddress): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`
}

function isAboutCertificate(code: string): boolean {
  return /CERT|SELF_SIGNED|SIGNATURE|ALTNAME/.test(code)
}

function ready(socket: Socket, event: string, protocol: () => string): Promise<string> {
  const isReady = new Promise<string>((resolve, reject) => {
    socket.once(event, () => resolve(protocol()))
    socket.once('error', reject)
    // A connection may also be closed without an error, for example because the client has left.
    socket.once('close', () => reject(new Error('closed')))
  })
  // The caller may have given up by then.
  isReady.catch(() => {})
  return isReady
}

/** Returns whether this is a name. TLS does not send addresses. */
function isName(host: string): boolean {
  return !/^[\d.]+$|:/.test(host)
}
