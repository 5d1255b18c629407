/**
 * Opens seven streams in addition to the component's, and shows which of them are open. Pressing a stream closes it.
 *
 * @returns a function that closes all of them
 */
export function sevenStreams({
  button,
  list,
  url,
}: {
  button: HTMLElement
  list: HTMLElement
  url: string
}): () => void {
  // Keep the original EventSource, so that these streams are not logged. event-source-log.ts replaces EventSource later.
  const { EventSource } = window
  let streams: { close(): void }[] = []

  button.addEventListener('click', () => {
    if (streams.length > 0) return closeAll()
    streams = Array.from({ length: 7 }, (_, n) => open(n + 1))
    button.textContent = 'Close them'
  })

  function closeAll(): void {
    for (const stream of streams) stream.close()
    streams = []
    list.replaceChildren()
    button.textContent = 'Open 7 streams'
  }

  function open(number: number): { close(): void } {
    const source = new EventSource(`${url}?stream=${number}`)
    const shown = document.createElement('button')
    shown.type = 'button'
    const item = document.createElement('li')
    item.append(shown)
    list.append(item)

    function show(): void {
      const state = ['waits', 'open', 'closed'][source.readyState]!
      shown.textContent = `${number} ${state}`
      shown.dataset.state = state
      shown.disabled = state === 'closed'
    }
    function close(): void {
      source.close()
      show()
    }
    source.addEventListener('open', show)
    source.addEventListener('error', show)
    shown.addEventListener('click', close)
    shown.title = 'Press to close it'
    show()
    return { close }
  }

  return closeAll
}
