import { setTimeout as sleep } from 'node:timers/promises'

/** Answers a question, token by token. Stops when `signal` aborts: then it returns, or throws an `AbortError`. */
export type Answer = (question: string, signal: AbortSignal) => AsyncIterable<string>

/** Answers a question about earthquakes from a few fixed texts, about as fast as a model. The same question has the same answer. */
export const answer: Answer = async function* (question, signal) {
  for (const token of tokensOf(textFor(question))) {
    await sleep(TOKEN_MS, undefined, { signal })
    yield token
  }
}

/** The time that a token takes. */
const TOKEN_MS = 80

/** Cuts a text into tokens like those of a model: pieces of words, most of which begin with the space before them. */
export function tokensOf(text: string): string[] {
  // With the flag u, no token ends in the middle of a character.
  return text.match(/\n+| ?[^\s]{1,6}| /gu) ?? []
}

function textFor(question: string): string {
  return TEXTS.find(([words]) => words.test(question))?.[1] ?? OTHERWISE
}

const TEXTS: [words: RegExp, text: string][] = [
  [
    /magnitude|strong|big/i,
    `Magnitude is a logarithm. 📈

- One step up means waves that are 10 times as high,
- and about 32 times as much energy.

So a magnitude 6 releases about a thousand times the energy of a magnitude 4. Most earthquakes are so small that only instruments feel them.`,
  ],
  [
    /predict|next|when/i,
    `Nobody can predict the day of an earthquake. 🗓️

What can be estimated is a probability over many years:

1. how fast the plates move,
2. how much of that movement earlier earthquakes have released,
3. how often the fault has broken before.

An early warning is something else. It begins only after the earthquake has begun, and travels faster than its waves.`,
  ],
  [
    /why|cause|how/i,
    `The plates of the Earth's crust move a few centimetres per year, about as fast as fingernails grow. 🌍

At their edges, rock sticks together and bends like a spring. When the stress exceeds the friction, the rock slips within seconds, and the stored energy leaves as waves.`,
  ],
]

const OTHERWISE = `I only know about earthquakes. 🙂

Ask me why they happen, how magnitude works, or whether anybody can predict the next one.`
