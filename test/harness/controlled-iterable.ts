/** An async iterable whose values the check supplies. */
export type ControlledIterable<T> = {
  readonly values: AsyncIterable<T>
  push(value: T): void
  close(): void
  /** Whether a consumer has left its loop early. */
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
