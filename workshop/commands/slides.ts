import { refuse } from './refuse.ts'

/**
 * `npm run slides` shows the deck, `npm run slides share` also lets others on the network follow the deck, and
 * `npm run slides pdf [lessonN] [notes] [FILE.pdf]` writes a handout. For contributors, `npm run slides record NAMES…` plays scenes again
 * and records their wires for the slides.
 */
export async function slides(args: string[]): Promise<number> {
  const [what = '', ...rest] = args.filter((word) => word !== '')
  if (what === 'record') return (await import('../slides/record.ts')).recordAll(rest)
  if (what === 'pdf') {
    const { handoutIn, pdf } = await import('../slides/pdf.ts')
    const handout = handoutIn(rest)
    return typeof handout === 'string' ? refuse(handout) : pdf(handout)
  }
  if ((what === '' || what === 'share') && rest.length === 0) {
    return (await import('../slides/terminal.ts')).showSlides({ isShared: what === 'share' })
  }
  return refuse(
    `Unknown arguments "${args.join(' ')}". Use one of: npm run slides, npm run slides share, npm run slides pdf`,
  )
}
