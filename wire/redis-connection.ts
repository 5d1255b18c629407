import { connect } from 'node:net'
import { respCommand, RespError, respReader, type RespValue } from './resp.ts'

/** A connection to Redis that does not use the package of the learner's code. */
export type RedisConnection = {
  /** Sends a command, and returns the reply. */
  command(...args: string[]): Promise<RespValue>
  close(): void
}

/** Opens a connection to the Redis at a port of 127.0.0.1. */
export function redisConnection(port: number): RedisConnection {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  const waiting: { resolve(value: RespValue): void; reject(error: Error): void }[] = []
  const reader = respReader()
  socket.on('data', (bytes) => {
    for (const { value } of reader.push(bytes)) {
      const { resolve, reject } = waiting.shift()!
      if (value instanceof RespError) reject(value)
      else resolve(value)
    }
  })
  socket.on('error', () => {})
  socket.on('close', () => {
    for (const { reject } of waiting.splice(0)) reject(new Error('Redis closed the connection'))
  })
  return {
    command(...args) {
      return new Promise((resolve, reject) => {
        waiting.push({ resolve, reject })
        socket.write(respCommand(args))
      })
    },
    close: () => void socket.destroy(),
  }
}
