import { showIfSeen, showInBrowser } from '../session/open-page.ts'
import { exitRequest } from '../process/exit-request.ts'
import { CTRL_C, listenForKeys } from '../terminal/keys.ts'
import { screen } from '../terminal/screen.ts'
import { codeOfToday } from './join-code.ts'
import { slidesServer, type SlidesServer } from './server.ts'

/**
 * Shows the deck until Ctrl-C or `q`.
 *
 * @param options.isShared whether people on the network can follow, with a join code
 * @returns the exit code
 */
export async function showSlides({ isShared }: { isShared: boolean }): Promise<number> {
  const out = screen(process.stdout)
  const { paint } = out
  const exit = exitRequest()
  const code = isShared ? codeOfToday() : undefined
  const slides = await slidesServer({ ...(code && { code }) })
  out.print(
    [
      '',
      paint('strong', 'Slides'),
      '',
      `  ${paint('strong', `${slides.url}/`)}  the deck, for you`,
      ...followersLines(slides, code).map(([url, whom]) => `  ${paint('strong', url)}  ${whom}`),
      '',
      'In the deck: S speaker view · Esc overview · G and a number · T dark or light · C join code · ? all keys',
      '',
    ].join('\n'),
  )
  await showIfSeen(slides.url)
  out.stay('o deck · q quit')
  const stopListening = listenForKeys(process.stdin, (key) => {
    if (key === CTRL_C) exit.request(130)
    if (key === 'q') exit.request(0)
    if (key === 'o') void showInBrowser(slides.url)
  })

  const exitCode = await exit.requested
  stopListening()
  out.close()
  await slides.close()
  return exitCode
}

function followersLines(
  { followersUrls }: SlidesServer,
  code?: string,
): [url: string, whom: string][] {
  if (code === undefined) {
    return followersUrls.map((url) => [
      `${url}/`,
      'for followers on this machine; to let in others: npm run slides share',
    ])
  }
  if (followersUrls.length === 0)
    return [['', 'This machine has no network, so nobody can follow.']]
  return followersUrls.flatMap((url) => [
    [`${url}/${code}/`, 'for followers'],
    [`${url}/`, `asks for the code ${code}`],
  ])
}
