import { refuse } from './refuse.ts'

/**
 * `npm run slides` shows the deck, `npm run slides agenda half` shows only the slides of an agenda, with its times, and
 * `npm run slides share`, with or without an agenda, also lets others on the network follow the deck.
 * `npm run slides pdf [lessonN] [notes] [FILE.pdf]` writes a handout. For contributors, `npm run slides record NAMES…` plays
 * scenes again and records their wires for the slides.
 */
export async function slides(args: string[]): Promise<number> {
  const words = args.filter((word) => word !== '')
  const [what = '', ...rest] = words
  if (what === 'record') return (await import('../slides/record.ts')).recordAll(rest)
  if (what === 'pdf') {
    const { handoutIn, pdf } = await import('../slides/pdf.ts')
    const handout = handoutIn(rest)
    return typeof handout === 'string' ? refuse(handout) : pdf(handout)
  }
  const isShared = what === 'share'
  const [word, ...chosen] = isShared ? rest : words
  if (word === undefined) return (await import('../slides/terminal.ts')).showSlides({ isShared })
  if (word === 'agenda') return showAgenda(chosen, isShared)
  return refuse(
    `Unknown arguments "${words.join(' ')}". Use one of: npm run slides, npm run slides agenda half, npm run slides share, npm run slides pdf, npm run slides pdf lesson1 notes`,
  )
}

async function showAgenda([name = '', ...rest]: string[], isShared: boolean): Promise<number> {
  const { agendaNames } = await import('../slides/agenda.ts')
  const { clock, minutesOfDay, nearestFive } = await import('../slides/clock.ts')
  const names = agendaNames()
  if (!names.includes(name)) return refuse(`Name an agenda: ${names.join(', ')}`)
  const [time = clock(nearestFive(new Date()))] = rest
  const startsAt = minutesOfDay(time)
  if (startsAt === undefined || rest.length > 1) {
    return refuse(
      `"${rest.join(' ')}" is not a time. Write it like this: npm run slides agenda ${name} 9:00`,
    )
  }
  const { showSlides } = await import('../slides/terminal.ts')
  return showSlides({ isShared, agenda: { name, startsAt } })
}
