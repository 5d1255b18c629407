import { post } from '../../page/browser/state/post.ts'
import { subscribe } from '../../page/browser/state/reconnecting-stream.ts'
import type { Stage } from '../position.ts'
import { position } from './reveal.ts'
import { countdown, isBlank, runs } from './stage.ts'

/** Sends what this deck shows to the server after every change, and again after the server has restarted. */
export function broadcastStage(): void {
  let sent = ''
  let isSending = false

  /** Sends one stage at a time, because two could arrive in the wrong order. Skips stages that have become outdated. */
  async function sendAll(): Promise<void> {
    if (isSending) return
    isSending = true
    while (sent !== JSON.stringify(stage())) {
      const next = stage()
      sent = JSON.stringify(next)
      await send(next)
    }
    isSending = false
  }
  for (const each of [position, isBlank, runs, countdown]) each.listen(() => void sendAll())
  void subscribe({
    url: './position',
    onMessage() {},
    onLiveChange(isLive) {
      if (!isLive) return
      sent = ''
      void sendAll()
    },
  })
}

function stage(): Stage {
  const scene = runs.get()
  const timer = countdown.get()
  return {
    position: position.get(),
    isBlank: isBlank.get(),
    ...(scene !== undefined && { runs: scene }),
    ...(timer && { countdown: timer }),
  }
}

async function send(next: Stage): Promise<void> {
  try {
    await post('./position', next)
  } catch {
    // Ignore the error, because the deck works without followers, and the next change may reach them.
  }
}
