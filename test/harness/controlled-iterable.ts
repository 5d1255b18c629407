/** Values that come when the check says so, to whoever iterates. */
export type ControlledIterable<T> = {
  readonly values: AsyncIterable<T>
  push(value: T): void
  close(): void
  /** Somebody has left the loop over them. */
  readonly isLeft: boolean
}

export function controlledIterable<T>(): ControlledIterable<T> {
  let controller: ReadableStreamDefaultController<T>
  let isLeft = false
  const values = new ReadableStream<T>({
    start(made) {
      controller = made
    },
    cancel() {
      isLeft = true
    },
  })
  return {
    values,
    push: (value) => controller.enqueue(value),
    close: () => controller.close(),
    get isLeft() {
      return isLeft
    },
  }
}
