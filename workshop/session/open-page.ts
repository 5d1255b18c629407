import type { PageServer } from '../page/server.ts'
import type { Screen } from '../terminal/screen.ts'
import type { Session } from '../page/session.ts'

/**
 * Serves the page and, if there is a display, opens it in a browser. If that fails, the workshop continues in the
 * terminal, without the page.
 */
export async function openPage(session: Session, out: Screen): Promise<PageServer | undefined> {
  try {
    const { pageServer } = await import('../page/server.ts')
    const page = await pageServer({ session, ...chosenPorts() })
    await showIfSeen(page.url)
    return page
  } catch (error) {
    out.print(out.paint('bad', `The page is not available: ${(error as Error).message}`))
    return undefined
  }
}

/** Returns the port that PAGE_PORT names, which is then the only port to try. */
function chosenPorts(): { ports?: number[] } {
  const { PAGE_PORT } = process.env
  if (!PAGE_PORT) return {}
  const port = Number(PAGE_PORT)
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return { ports: [port] }
  throw new Error(`PAGE_PORT must be a port number from 0 to 65535, got "${PAGE_PORT}".`)
}

/** Opens an address in the default browser, if possible. Callers print the address as well. */
export async function showInBrowser(url: string): Promise<void> {
  const { default: open } = await import('open')
  const browser = await open(url)
  // If the browser cannot be started, print nothing, because the address is printed in any case.
  browser.on('error', () => {})
}

/** Opens an address in the browser if somebody is likely to see it. */
export async function showIfSeen(url: string): Promise<void> {
  if (isSeen()) await showInBrowser(url)
}

/** Returns whether there is a terminal and a display, and nothing forbids opening a browser. */
function isSeen(): boolean {
  const { BROWSER, CI, DISPLAY, WAYLAND_DISPLAY, SSH_CONNECTION } = process.env
  if (!process.stdout.isTTY || CI || BROWSER === 'none' || SSH_CONNECTION) return false
  const hasDisplay = process.platform !== 'linux' || DISPLAY || WAYLAND_DISPLAY
  return Boolean(hasDisplay)
}
