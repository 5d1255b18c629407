import { Socket } from 'node:net'

/**
 * Blocks all further writes of a socket, as if every network buffer were full. Real buffers would not do, because their
 * size differs between machines. Returns a function that flushes the blocked writes and unblocks the socket.
 */
export function blockSocket(socket: Socket): () => void {
  const waiting: (() => void)[] = []
  const { _write: write, _writev: writev } = Socket.prototype
  Object.assign(socket, {
    _write: (...given: Parameters<typeof write>) =>
      void waiting.push(() => write.apply(socket, given)),
    _writev: (...given: Parameters<NonNullable<typeof writev>>) =>
      void waiting.push(() => writev?.apply(socket, given)),
  })
  const letGo = (): void => {
    socket.off('end', letGo)
    Object.assign(socket, { _write: write, _writev: writev })
    const held = waiting.splice(0)
    // Destroying the socket has already discarded the blocked writes.
    if (!socket.destroyed) for (const go of held) go()
  }
  // After the client has disconnected, the blocked writes must fail.
  socket.on('end', letGo)
  return letGo
}
