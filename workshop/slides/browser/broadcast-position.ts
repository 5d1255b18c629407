import { place } from './reveal.ts'

/** Tells the followers where the instructor is, now and with every move. */
export function lead(token: string): void {
  let told = place.get()
  let isTelling = false

  /** One after the other: two at a time could come in the wrong order. What was passed meanwhile is left out. */
  async function tell(): Promise<void> {
    if (isTelling) return
    isTelling = true
    while (told !== place.get()) {
      told = place.get()
      await post(token)
    }
    isTelling = false
  }
  place.listen(() => void tell())
}

async function post(token: string): Promise<void> {
  try {
    const { status } = await fetch('./place', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-token': token },
      body: JSON.stringify(place.get()),
    })
    // The deck was started anew, and knows another token.
    if (status === 403) location.reload()
  } catch {
    // The deck goes on without followers, and the next move may reach them.
  }
}
