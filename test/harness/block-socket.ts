import { Socket } from 'node:net'

/**
 * Blocks all further writes to a socket, as if every network buffer were full, and returns a function that flushes the
 * blocked writes and unblocks the socket. Does not fill the real buffers, because their size differs between machines.
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
    // If the socket has been destroyed, the blocked writes have already been discarded.
    if (!socket.destroyed) for (const go of held) go()
  }
  // Unblock the socket when the client disconnects, because the blocked writes must then fail.
  socket.on('end', letGo)
  return letGo
}
