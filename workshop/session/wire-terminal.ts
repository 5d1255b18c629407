import { connect } from 'node:net'
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
  if (!(await answers(server))) {
    out.print(
      `There is no server at ${server.url.origin} yet. Until it starts, every request gets 503.\n`,
    )
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
  await Promise.all([page?.close(), session.tap.close()])
  return code
}

function answers({ destination }: WatchedServer): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(destination)
    socket.once('error', () => resolve(false))
    socket.once('connect', () => {
      resolve(true)
      socket.destroy()
    })
  })
}
