import { openPage, type Page, type PageOptions } from './page.ts'
import { createElement, Fragment, Profiler, useLayoutEffect, type ReactNode } from 'react'
import { AnswerText } from '#work/10-answers-over-post/AnswerText.tsx'
import { useAnswer } from '#work/10-answers-over-post/useAnswer.ts'
import type { Tools } from '../check.ts'
import { visible } from '../../../wire/visible.ts'
import type { Story } from '../failure.ts'
import type { LateStory } from '../waiting.ts'
import {
  answerServer,
  inWords,
  type AnswerServer,
  type ScriptedAnswer,
  type WhenStopped,
} from './answer-server.ts'

type Answering = ReturnType<typeof useAnswer>

/** A page with components that ask questions and show the answers. */
export type AskingPage = {
  page: Page
  server: AnswerServer
  /** The first component. */
  asker: Asker
  askers: readonly Asker[]
  /** Asks a question in a component, by default the first one, and waits until the server has received it. */
  ask(question: string, asker?: Asker): Promise<ScriptedAnswer>
  /** Waits until the server has received a request to stop an answer. */
  isToldToStop(story: LateStory): Promise<void>
  /** Waits until a component, by default the first one, shows exactly this text. */
  shows(text: string, story?: () => Partial<Story>, asker?: Asker): Promise<void>
  /** Waits until the state of the first component has this name. */
  is(name: Answering['state']['name'], story?: LateStory): Promise<void>
  unmount(): void
}

/** A component that calls useAnswer(), renders <AnswerText>, and records both. */
export type Asker = {
  Component(props: { url: string }): ReactNode
  /** What useAnswer() returned at the last render. */
  readonly now: Answering
  /** How often the component has rendered. */
  readonly renders: number
  /** How often React has updated the text on the page. */
  readonly commits: number
  /** The names of the states that were shown, in order. A repeated name is listed only once. */
  readonly states: readonly string[]
  /** The text on the page. */
  readonly text: string
}

/** Renders components that ask, until the script ends. */
export async function askingPage(
  t: Tools,
  {
    whenStopped = 'ends',
    count = 1,
    ...how
  }: PageOptions & { whenStopped?: WhenStopped; count?: number } = {},
): Promise<AskingPage> {
  const server = await answerServer(t, whenStopped)
  const page = await openPage(t, [], how)
  const askers = Array.from({ length: count }, (_, n) => newAsker(page, n))
  const asker = askers[0]!
  const elements = askers.map(({ Component }, n) =>
    createElement(Component, { key: n, url: server.url }),
  )
  page.draw(createElement(Fragment, null, elements))
  t.transcript.step(`a component mounts${how.strict ? ' under StrictMode' : ''}`)
  return {
    page,
    server,
    asker,
    askers,
    async ask(question, on = asker) {
      const before = server.answers.length
      t.transcript.step(`ask('${question}')`)
      on.now.ask(question)
      await page.waitFor(
        () => server.answers.length > before,
        () => ({
          seen: `A component called ask('${question}'), but the server got no question.`,
          expected: 'Expected a POST of the question to the url.',
          ...(on.now.state.name === 'aborted' && { often: ABORTED_BEFORE }),
        }),
      )
      // Write the step only now, because requests on different connections may arrive in any order.
      t.transcript.step(`server got question ${before + 1}`)
      return server.answers[before]!
    },
    async isToldToStop(story) {
      await page.waitFor(() => server.stops.length > 0, story)
      t.transcript.step(`server got a request to stop ${inWords(server.answers, server.stops[0]!)}`)
    },
    async shows(text, story = () => ({}), on = asker) {
      await page.waitFor(
        () => sameText(on.text, text),
        () => ({
          seen: `The text of the answer is ${quoted(text)} so far, but <AnswerText> shows ${quoted(on.text)}.`,
          expected: `Expected <AnswerText> to show ${quoted(text)}.`,
          ...story(),
        }),
      )
      t.transcript.step(`the page shows ${quoted(text)}`)
    },
    async is(
      name,
      story = {
        seen: () => `The state is "${asker.now.state.name}".`,
        expected: `Expected the state to be "${name}".`,
      },
    ) {
      await page.waitFor(() => asker.now.state.name === name, story)
      t.transcript.step(`the state is "${name}"`)
    },
    unmount() {
      t.transcript.step('the component unmounts')
      page.draw(null)
    },
  }
}

const ABORTED_BEFORE =
  'your hook creates its AbortController only once. StrictMode runs the cleanup of each effect right after mounting, and that aborts the controller for good.'

function newAsker({ body }: Page, n: number): Asker {
  let now: Answering | undefined
  let renders = 0
  let commits = 0
  const states: string[] = []
  const id = `answer-${n}`
  return {
    Component({ url }) {
      const answering = useAnswer(url)
      renders += 1
      useLayoutEffect(() => {
        now = answering
        const { name } = answering.state
        if (states.at(-1) !== name) states.push(name)
      })
      const shown = createElement(AnswerText, { text: answering.text })
      return createElement(
        'div',
        { id },
        createElement(Profiler, { id, onRender: () => void (commits += 1) }, shown),
      )
    },
    get now() {
      return now!
    },
    get renders() {
      return renders
    },
    get commits() {
      return commits
    },
    states,
    get text() {
      return body.querySelector(`#${id}`)?.textContent ?? ''
    },
  }
}

/** Compares texts without their white space, because a component may show each line in an element of its own. */
export function sameText(one: string, other: string): boolean {
  return one.replace(/\s/g, '') === other.replace(/\s/g, '')
}

function quoted(text: string): string {
  return `"${visible(text.length > 60 ? `${text.slice(0, 20)}…${text.slice(-20)}` : text)}"`
}
