import { Transform } from 'node:stream'

/**
 * The part of a response that a proxy buffers. A number is the size of a buffer that has to be full before it is sent
 * (including the head). `end` buffers everything until the end, `last` buffers each piece until the next one arrives, and
 * `head` buffers the head until the first byte of the body arrives.
 */
export type Holds = number | 'end' | 'last' | 'head'

/** Returns a stream that buffers a body according to `holds`. The head occupies the first `headSize` bytes of the buffer. */
export function holding(holds: Holds | undefined, headSize: number): Transform {
  if (holds === 'end') return untilEnd()
  if (holds === 'last') return untilNext()
  return typeof holds === 'number' ? untilFull(holds, headSize) : passing()
}

/** Buffers nothing. The head waits for the first byte of the body if nothing has sent it before. */
function passing(): Transform {
  return new Transform({ transform: (piece, _encoding, done) => done(null, piece) })
}

function untilEnd(): Transform {
  const held: Buffer[] = []
  return new Transform({
    transform(piece: Buffer, _encoding, done) {
      held.push(piece)
      done()
    },
    flush: (done) => done(null, Buffer.concat(held)),
  })
}

function untilNext(): Transform {
  let held: Buffer | undefined
  return new Transform({
    transform(piece: Buffer, _encoding, done) {
      const before = held
      held = piece
      done(null, before)
    },
    flush: (done) => done(null, held),
  })
}

function untilFull(size: number, headSize: number): Transform {
  let held = Buffer.alloc(0)
  let room = Math.max(1, size - headSize)
  return new Transform({
    transform(piece: Buffer, _encoding, done) {
      held = Buffer.concat([held, piece])
      for (; held.length >= room; room = size) {
        this.push(held.subarray(0, room))
        held = held.subarray(room)
      }
      done()
    },
    flush: (done) => done(null, held),
  })
}
