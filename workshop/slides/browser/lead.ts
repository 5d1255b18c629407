import { place } from './reveal.ts'

/** Tells the followers where the instructor is, now and with every move. */
export function lead(token: string): void {
  place.listen(() => void tell(token))
}

async function tell(token: string): Promise<void> {
  try {
    await fetch('./place', {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-token': token },
      body: JSON.stringify(place.get()),
    })
  } catch {
    // The deck goes on without followers, and the next move may reach them.
  }
}
