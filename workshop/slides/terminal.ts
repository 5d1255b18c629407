import { showIfSeen, showInBrowser } from '../session/open-page.ts'
import { exitRequest } from '../process/exit-request.ts'
import { CTRL_C, listenForKeys } from '../terminal/keys.ts'
import { screen } from '../terminal/screen.ts'
import { agendaDeck, type AgendaChoice } from './agenda-deck.ts'
import { cloneAddress } from './clone-address.ts'
import { clock } from './clock.ts'
import { codeOfToday } from './join-code.ts'
import { slidesServer, type SlidesServer } from './server.ts'

/**
 * Shows the deck until Ctrl-C or `q`.
 *
 * @param options.isShared whether people on the network can follow, with a join code
 * @param options.agenda the agenda whose slides to show; if absent, all slides
 * @returns the exit code
 */
export async function showSlides({
  isShared,
  agenda,
}: {
  isShared: boolean
  agenda?: AgendaChoice
}): Promise<number> {
  const out = screen(process.stdout)
  const { paint } = out
  const exit = exitRequest()
  const code = isShared ? codeOfToday() : undefined
  const slides = await slidesServer({ ...(code && { code }), ...(agenda && { agenda }) })
  out.print(
    [
      '',
      paint('strong', 'Slides'),
      '',
      `  ${paint('strong', `${slides.url}/`)}  the deck, for you`,
      ...(code
        ? [
            `  ${paint('strong', `${slides.url}/board.html`)}  the board, for you: who is at which task`,
          ]
        : []),
      ...followersLines(slides, code, agenda).map(
        ([url, whom]) => `  ${paint('strong', url)}  ${whom}`,
      ),
      '',
      ...(agenda ? [...agendaLines(agenda), ''] : []),
      ...(isExample(cloneAddress()) ? [CLONE_ADDRESS, ''] : []),
      `In the deck: S speaker view · Esc overview · G and a number · T dark or light${isShared ? ' · C join code · R the room' : ''} · ? all keys`,
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
  agenda?: AgendaChoice,
): [url: string, whom: string][] {
  if (code === undefined) {
    return followersUrls.map((url) => [
      `${url}/`,
      `for followers on this machine; to let in others: npm run slides share${agenda ? ` agenda ${agenda.name}` : ''}`,
    ])
  }
  if (followersUrls.length === 0)
    return [['', 'This machine has no network, so nobody can follow.']]
  return followersUrls.flatMap((url) => [
    [`${url}/${code}/`, 'for followers'],
    [`${url}/`, `asks for the code ${code}`],
    [
      `npm run lesson 1 with ${url.slice('http://'.length)} ${code}`,
      'shows a learner on the board',
    ],
  ])
}

/** Returns whether this is the address with which the workshop was published, from which nobody can clone. */
function isExample(address: string): boolean {
  return address.startsWith('https://example.com/')
}

const CLONE_ADDRESS =
  'The slides show an example instead of a clone address. To set yours: npm pkg set repository.url=ADDRESS'

/** Lists the times of an agenda, and the reasons why it cannot be kept. */
function agendaLines(agenda: AgendaChoice): string[] {
  const { title, rows, problems, startsAt } = agendaDeck(agenda)
  const isLong = rows.at(-1)!.day > 1
  return [
    title,
    ...rows.map(({ day, from, what }) =>
      [isLong && `  day ${day}`, clock(startsAt + from).padStart(7), what]
        .filter(Boolean)
        .join('  '),
    ),
    ...problems,
  ]
}
