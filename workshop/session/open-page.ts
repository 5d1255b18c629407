import type { PageServer } from '../page/server.ts'
import type { Screen } from '../terminal/screen.ts'
import type { Session } from '../page/session.ts'

/** Serves the page and shows it to whoever sits before this machine. The terminal goes on without it. */
export async function openPage(session: Session, out: Screen): Promise<PageServer | undefined> {
  try {
    const { pageServer } = await import('../page/server.ts')
    const page = await pageServer({ session, ...chosenPorts() })
    await showIfSeen(page.url)
    return page
  } catch (error) {
    out.print(out.paint('bad', `The page cannot be shown: ${(error as Error).message}`))
    return undefined
  }
}

/** The port that the learner chose with PAGE_PORT, and no other. */
function chosenPorts(): { ports?: number[] } {
  const { PAGE_PORT } = process.env
  if (!PAGE_PORT) return {}
  const port = Number(PAGE_PORT)
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return { ports: [port] }
  throw new Error(`PAGE_PORT must be a port number from 0 to 65535, got "${PAGE_PORT}".`)
}

/** Shows an address in the default browser, if that can be done. Its URL is printed in any case. */
export async function showInBrowser(url: string): Promise<void> {
  const { default: open } = await import('open')
  const browser = await open(url)
  // One that cannot be started is not worth a word.
  browser.on('error', () => {})
}

/** Shows it to whoever sits before this machine, if somebody does. */
export async function showIfSeen(url: string): Promise<void> {
  if (isSeen()) await showInBrowser(url)
}

/** There is a terminal, a display, and nobody has said no. */
function isSeen(): boolean {
  const { BROWSER, CI, DISPLAY, WAYLAND_DISPLAY, SSH_CONNECTION } = process.env
  if (!process.stdout.isTTY || CI || BROWSER === 'none' || SSH_CONNECTION) return false
  const hasDisplay = process.platform !== 'linux' || DISPLAY || WAYLAND_DISPLAY
  return Boolean(hasDisplay)
}
