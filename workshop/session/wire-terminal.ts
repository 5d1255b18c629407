import { connectTo, whyUnreachable } from '../../wire/server-address.ts'
import { curlCommand } from '../../protocol/curl.ts'
import { shellOn } from '../../protocol/shell.ts'
import { legend } from '../terminal/wire-lines.ts'
import { wireView } from '../terminal/wire-view.ts'
import { CTRL_C, listenForKeys } from '../terminal/keys.ts'
import { screen } from '../terminal/screen.ts'
import { openPage, showInBrowser } from './open-page.ts'
import { troubleKeys } from './trouble-keys.ts'
import { exitRequest } from '../process/exit-request.ts'
import { wireSession, type WatchedServer } from './wire-session.ts'

/**
 * Shows the wire of somebody's own server, in the terminal and on a page, until Ctrl-C or `q`.
 *
 * @returns the exit code
 */
export async function watchWire(server: WatchedServer): Promise<number> {
  const out = screen(process.stdout)
  const { paint } = out
  const exit = exitRequest()
  const wire = wireView(out)
  const session = await wireSession(server, wire.observer)
  if ('problem' in session) {
    console.error(session.problem)
    return 2
  }
  const trouble = troubleKeys(session)
  const page = await openPage(session, out)
  out.print(
    [
      '',
      paint('strong', `The wire to ${server.url.origin}`),
      '',
      ...(page ? [`  ${paint('strong', `${page.url}/`)}  the page`] : []),
      `  ${paint('strong', session.url)}  your server, through the wire`,
      `  ${curlCommand({ url: session.url }, shellOn(process.platform))}`,
      '',
      legend(paint),
      '',
    ].join('\n'),
  )
  for (const line of [...(await problemsWith(server)), ...aboutNames(server, session.url)]) {
    out.print(`${line}\n`)
  }
  showKeys()
  const stopListening = listenForKeys(process.stdin, (key) => void press(key))

  function showKeys(): void {
    const keys = [
      ...(page ? ['o page'] : [trouble.label]),
      `s wire: ${wire.shows}`,
      'c clear',
      'q quit',
    ]
    out.stay(keys.join(' · '))
  }

  async function press(key: string): Promise<void> {
    if (key === CTRL_C) exit.request(130)
    if (key === 'q') exit.request(0)
    if (key === 'c') out.clear()
    if (key === 's') wire.next()
    if (key === 'o' && page) await showInBrowser(page.url)
    const made = await trouble.press(key)
    if (made) out.print(made)
    showKeys()
  }

  const code = await exit.requested
  stopListening()
  wire.close()
  out.close()
  await Promise.all([page?.close(), session.close()])
  return code
}

/** Says why the server cannot be reached, if it cannot. */
async function problemsWith({ address }: WatchedServer): Promise<string[]> {
  const { socket, isReady } = connectTo(address)
  socket.on('error', () => {})
  try {
    await isReady
    return []
  } catch (error) {
    const why = whyUnreachable(error as Error, address)
    const help = why.includes('not trusted')
      ? ' To use it nevertheless, add the word insecure.'
      : ''
    return [`${capitalised(why)}.${help} Until that changes, every connection is reset.`]
  } finally {
    socket.destroy()
  }
}

/** Says which name the server is asked for, if that may matter. */
function aboutNames({ url, isRenamed }: WatchedServer, wire: string): string[] {
  if (isRenamed)
    return [`Your server gets the Host ${url.host}, and its redirects lead through the wire.`]
  if (/^(localhost|127\.|\[::1\])/.test(url.hostname)) return []
  return [
    `Your server gets the Host that clients send, ${new URL(wire).host}. If it needs its own name, add the word host.`,
  ]
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
