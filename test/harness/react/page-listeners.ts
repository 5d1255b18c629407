type Listening = Pick<EventTarget, 'addEventListener' | 'removeEventListener'>

const listening: { type: string; listener: unknown; capture: boolean; target: object }[] = []

/** Counts the listeners that are added to the targets from now on. */
export function countListeners(targets: object[]): void {
  for (const target of targets as Listening[]) {
    const add = target.addEventListener.bind(target)
    const remove = target.removeEventListener.bind(target)
    const forget = (type: string, listener: unknown, capture: boolean): void => {
      const at = indexOf(target, type, listener, capture)
      if (at >= 0) listening.splice(at, 1)
    }
    target.addEventListener = (type, listener, options) => {
      const { once, signal, capture } = optionsOf(options)
      if (!listener || signal?.aborted) return
      if (indexOf(target, type, listener, capture) < 0) {
        listening.push({ target, type, listener, capture })
        signal?.addEventListener('abort', () => target.removeEventListener(type, listener, capture))
        if (once) add(type, () => forget(type, listener, capture), { capture, once })
      }
      // Leave out the signal, because the counter handles it.
      add(type, listener, { ...optionsOf(options), signal: undefined } as AddEventListenerOptions)
    }
    target.removeEventListener = (type, listener, options) => {
      forget(type, listener, optionsOf(options).capture)
      remove(type, listener, options)
    }
  }
}

/** Returns the number of listeners on the window and the document, for one type of event or for all types. */
export function pageListeners(type?: string): number {
  return listening.filter((each) => type === undefined || each.type === type).length
}

function indexOf(target: object, type: string, listener: unknown, capture: boolean): number {
  return listening.findIndex(
    (each) =>
      each.target === target &&
      each.type === type &&
      each.listener === listener &&
      each.capture === capture,
  )
}

function optionsOf(
  options: AddEventListenerOptions | boolean = false,
): AddEventListenerOptions & { capture: boolean } {
  return typeof options === 'boolean'
    ? { capture: options }
    : { ...options, capture: options.capture ?? false }
}
