import { position } from './reveal.ts'

/** Tells the followers where the instructor is, now and with every move. */
export function lead(token: string): void {
  let told = position.get()
  let isTelling = false

  /** One after the other: two at a time could come in the wrong order. What was passed meanwhile is left out. */
  async function tell(): Promise<void> {
    if (isTelling) return
    isTelling = true
    while (told !== position.get()) {
      told = position.get()
      await post(token)
    }
    isTelling = false
  }
  position.listen(() => void tell())
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
