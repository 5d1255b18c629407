/**
 * Passes keys that are pressed in the frame of a running program on to the deck, because the instructor expects them to work
 * even after pressing a button there.
 *
 * @param port the port of the server of such frames
 */
export function passKeysOn(port: number): void {
  addEventListener('message', ({ origin, data }: MessageEvent<KeyboardEventInit>) => {
    if (origin !== `http://${location.hostname}:${port}`) return
    document.dispatchEvent(new KeyboardEvent('keydown', { ...data, bubbles: true }))
  })
}
