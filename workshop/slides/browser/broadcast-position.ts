import { position } from './reveal.ts'

/** Tells the followers where the instructor is, now and with every move. */
export function broadcastPosition(token: string): void {
  let sent = position.get()
  let isSending = false

  /** Sends one position after the other: two at a time could arrive in the wrong order. Those passed meanwhile are left out. */
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
    // The deck was started anew, and knows another token.
    if (status === 403) location.reload()
  } catch {
    // The deck goes on without followers, and the next move may reach them.
  }
}
