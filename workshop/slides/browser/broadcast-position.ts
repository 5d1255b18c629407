import { post } from '../../page/browser/state/post.ts'
import { position } from './reveal.ts'

/** Sends the instructor's position to the server, now and after every move. */
export function broadcastPosition(): void {
  let sent = position.get()
  let isSending = false

  /** Sends one position at a time, because two could arrive in the wrong order. Skips positions that have become outdated. */
  async function sendAll(): Promise<void> {
    if (isSending) return
    isSending = true
    while (sent !== position.get()) {
      sent = position.get()
      await send()
    }
    isSending = false
  }
  position.listen(() => void sendAll())
}

async function send(): Promise<void> {
  try {
    await post('./position', position.get())
  } catch {
    // Ignore the error, because the deck works without followers, and the next move may reach them.
  }
}
