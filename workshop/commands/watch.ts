import { refuse } from './refuse.ts'

/** `npm run watch http://127.0.0.1:3102/events` runs the learner's watch.ts of lesson 2 on that stream. */
export async function watch([url = '']: string[]): Promise<number> {
  if (!url.startsWith('http://') || !URL.canParse(url)) {
    return refuse(
      'Which stream? Take the address that npm run lesson 2 prints, for example: npm run watch http://127.0.0.1:3102/events',
    )
  }
  const { watchStream } = await import('../session/watch-terminal.ts')
  return watchStream(url)
}
