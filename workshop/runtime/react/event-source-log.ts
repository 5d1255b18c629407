/**
 * Writes a line when an EventSource on the page is created, opens, fails, or is closed.
 */
export function watchEventSources(lines: HTMLElement): void {
  let made = 0
  window.EventSource = class extends EventSource {
    readonly #number = (made += 1)

    constructor(url: string | URL, options?: EventSourceInit) {
      super(url, options)
      this.#tell(`new EventSource('${url}')`)
      this.addEventListener('open', () => this.#tell('open'))
      this.addEventListener('error', () =>
        this.#tell(`error, readyState is ${this.readyState === 2 ? 'CLOSED' : 'CONNECTING'}`),
      )
    }

    override close(): void {
      super.close()
      this.#tell('close()')
    }

    /** Writes a line that begins with the seconds since the page was opened. */
    #tell(what: string): void {
      const at = (performance.now() / 1000).toFixed(1).padStart(6)
      lines.append(`${at} s   #${this.#number} ${what}\n`)
      lines.scrollTop = lines.scrollHeight
    }
  }
}
