import { position } from './reveal.ts'

/** Sends the instructor's position to the server, now and after every move. */
export function broadcastPosition(token: string): void {
  let sent = position.get()
  let isSending = false

  /** Sends one position at a time, because two could arrive in the wrong order. Skips positions that have become outdated. */
  async function send(): Promise<void> {
    if (isSending) return
    isSending = true
    while (sent !== position.get()) {
      sent = position.get()
      await post(token)
    }
    isSending = false
  }
  position.listen(() => void send())
}

async function post(token: string): Promise<void> {
  try {
    const { status } = await fetch('./position', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-token': token },
      body: JSON.stringify(position.get()),
    })
    // Reload the page, because the deck has been restarted and has a new token.
    if (status === 403) location.reload()
  } catch {
    // Ignore the error, because the deck works without followers, and the next move may reach them.
  }
}
