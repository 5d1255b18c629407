import type { Tools } from './toolbox.ts'
import { newTranscript, type Transcript } from './transcript.ts'
import { waiting } from './waiting.ts'

/** The tools of a check that tries many cases, and shows only the steps of its last one. */
export type PartByPart = Tools & {
  /** Begins a case. The steps of the case before it are not shown. */
  startPart(): void
}

export function partByPart(t: Tools): PartByPart {
  let part = newTranscript()
  const transcript: Transcript = {
    get steps() {
      return part.steps
    },
    step: (...args) => part.step(...args),
    append: (other) => part.append(other),
    parties: (...names) => part.parties(...names),
    draw: (event) => part.draw(event),
    picture: () => part.picture(),
  }
  t.atEnd(() => t.transcript.append(part))
  return {
    ...t,
    ...waiting(transcript),
    transcript,
    startPart() {
      part = newTranscript()
    },
  }
}
