import * as net from 'node:net'

const { defineProperty } = Object

/** Closes the ways past the list of allowed imports, and refuses sockets in the file system. */
export function closeBackDoors(): void {
  const names = ['getBuiltinModule', 'binding', '_linkedBinding', 'dlopen', 'execve', 'report']
  for (const name of names.filter((each) => each in process)) {
    defineProperty(process, name, { value: undefined, writable: false, configurable: false })
  }
  for (const name of ['_getActiveHandles', '_getActiveRequests']) {
    defineProperty(process, name, { value: () => [], writable: false, configurable: false })
  }
  const { listen } = net.Server.prototype
  net.Server.prototype.listen = function (this: net.Server, ...args: unknown[]) {
    mustBeTcp(args[0])
    return Reflect.apply(listen, this, args)
  }
  const { connect } = net.Socket.prototype
  net.Socket.prototype.connect = function (this: net.Socket, ...args: unknown[]) {
    // Node's own functions pass all arguments in an array.
    mustBeTcp(Array.isArray(args[0]) ? args[0][0] : args[0])
    return Reflect.apply(connect, this, args)
  }
}

function mustBeTcp(address: unknown): void {
  const isPath = typeof address === 'string' && !/^\d+$/.test(address)
  if (isPath || (typeof address === 'object' && (address as { path?: unknown } | null)?.path)) {
    throw new Error('a lesson may only use TCP ports, not sockets in the file system')
  }
}
