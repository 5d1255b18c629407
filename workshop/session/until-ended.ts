/** Ends with a signal or with a key. A second Ctrl-C does not wait for anything. */
export function untilEnded(): { ended: Promise<number>; end(code: number): void } {
  let isEnding = false
  let end = (_code: number): void => {}
  const ended = new Promise<number>((resolve) => {
    end = resolve
  })
  for (const [signal, code] of Object.entries(EXIT_CODES)) {
    process.on(signal, () => {
      if (isEnding) process.exit(code)
      isEnding = true
      end(code)
    })
  }
  return { ended, end: (code) => end(code) }
}

const EXIT_CODES = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 }
