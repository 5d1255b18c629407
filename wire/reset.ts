import type { Socket } from 'node:net'

/**
 * Resets a connection at once. `socket.resetAndDestroy()` would first send the bytes that are waiting, which takes forever if
 * the other side does not read, and sends an end if it cannot reset.
 */
export function reset(socket: Socket): void {
  // Node sets this property itself as soon as it may reset, and destroy() then sends a reset.
  Object.assign(socket, { resetAndClosing: true })
  socket.destroy()
}
