import { Socket } from 'node:net'

/**
 * From now on the network takes no bytes from a socket, as if every buffer on the way were full: how much fits into
 * those differs from one machine to the next. The function that it gives lets them go, first what had to wait.
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
    // Destroying it has thrown them away.
    if (!socket.destroyed) for (const go of held) go()
  }
  // When the client has left, what waits fails.
  socket.on('end', letGo)
  return letGo
}
