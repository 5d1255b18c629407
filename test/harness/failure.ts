/** Why a check failed, in the learner's world: no matcher words, no harness words. */
export type Story = {
  /** What happened: `The feed released "M 6.4 …" and nothing reached the client.` */
  seen: string
  /** What should have: `Expected the client to read it while the feed was waiting.` */
  expected: string
  /** One likely cause, since a check sees symptoms: `the handler collects the quakes …`. */
  often?: string
  /** The cause, where it is known for certain. */
  cause?: string
}

/** A check's rule does not hold. */
export class Failure extends Error {
  readonly story: Story

  constructor(story: Story) {
    super(`${story.seen} ${story.expected}`)
    this.name = 'Failure'
    this.story = story
  }
}

/** Throws the story when `holds` is false. */
export function must(holds: boolean, story: Story): asserts holds {
  if (!holds) throw new Failure(story)
}

/** `TypeError: x is not a function`, of whatever was thrown. */
export function describeError(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error)
}
