import { askingPage, sameText } from './harness/react/asking-page.ts'
import { check, edgeCase, must } from './harness/check.ts'
import { turns } from './harness/event-loop.ts'
import { inWords } from './harness/react/answer-server.ts'
import { holdFrames } from './harness/react/frames.ts'
import { SILENT } from './harness/transcript.ts'

// 10.7 Tokens in React

check('10.7a', '<AnswerText> shows each token as soon as it arrives', async (t) => {
  const { ask, asker, shows, is } = await askingPage(t)
  const answer = await ask('Why?')
  await is('answering')
  let text = ''
  // One token ends with a space, one begins with a space, and one is a line feed.
  for (const token of ['The ', 'plates', ' move', '\n', 'slowly.']) {
    text += token
    answer.send(token)
    await shows(text, () => ({
      often:
        asker.text !== ''
          ? 'your store waits for a frame only once. When a frame has been drawn, the next token must request another one.'
          : asker.now.text.getSnapshot() === text
            ? 'your store does not call its listeners, or <AnswerText> does not subscribe to the store.'
            : 'your hook passes no onToken to ask(), or it shows the text only after ask() has resolved.',
    }))
  }
  answer.done()
  await is('complete', {
    seen: () =>
      `The answer has ended with the event named "done", but the state is "${asker.now.state.name}".`,
    expected: 'Expected the name of the state to be the name of the outcome, "complete".',
  })
  const { state, text: store } = asker.now
  must('question' in state && state.question === 'Why?', {
    seen: 'The answer is complete, but its state has another question, or no question.',
    expected: 'Expected the state to have the question that was passed to ask().',
  })
  must(store.getSnapshot() === text && sameText(asker.text, text), {
    seen: `The answer ${JSON.stringify(text)} is complete, but now the text is ${JSON.stringify(store.getSnapshot())}.`,
    expected: 'Expected the text to stay the same when the answer ends.',
  })
})

check('10.7b', 'tokens do not render the component that calls useAnswer()', async (t) => {
  const { ask, asker, shows, is } = await askingPage(t)
  const answer = await ask('Why?')
  await is('answering')
  const before = asker.renders
  const tokens = ['The', ' plates', ' move', ' slowly.']
  for (const [n, token] of tokens.entries()) {
    answer.send(token)
    await shows(tokens.slice(0, n + 1).join(''))
  }
  const renders = asker.renders - before
  must(renders === 0, {
    seen: `${tokens.length} tokens arrived, and the component that calls useAnswer() rendered ${times(renders)}.`,
    expected: 'Expected only <AnswerText> to render, because the state has not changed.',
    often:
      'your hook keeps the text in a state of its own, or it subscribes to the text. Keep the text in a store, to which only <AnswerText> subscribes.',
  })
  answer.done()
  await is('complete')
})

check('10.7c', '<AnswerText> renders at most once per animation frame', async (t) => {
  const frames = holdFrames(t)
  // Too many tokens are sent to list each of them in the transcript.
  const { page, ask, asker, is } = await askingPage(
    { ...t, transcript: SILENT },
    { exclusive: true },
  )
  const answer = await ask('Why?')
  await is('answering')
  const delays = t.recordTimerDelays()
  const start = performance.now()
  const before = asker.commits
  const text = Array.from({ length: TOKENS }, (_, n) => ` ${n}`)
  t.transcript.step(`the answer sends ${TOKENS} tokens one after another, before the next frame`)
  for (const token of text) {
    answer.send(token)
    await turns(TURNS_OF_A_TOKEN)
  }
  // A timer of about a frame is as good, so the code may render once in that time. It may also show the first token at once.
  const isTimed = delays.ms.some((ms) => ms >= 10 && ms <= 100)
  const most = 1 + (isTimed ? (performance.now() - start) / 10 : 0)
  const commits = asker.commits - before
  must(commits <= most, {
    seen: `${TOKENS} tokens arrived within one frame, and <AnswerText> rendered ${times(commits)}.`,
    expected: 'Expected one render, because the screen shows only one state per frame.',
    often:
      'your store calls its listeners for each token. Call them in requestAnimationFrame(), once for all tokens since the last frame.',
  })
  await page.waitFor(
    () => {
      frames.draw()
      return sameText(asker.text, text.join(''))
    },
    {
      seen: `${TOKENS} tokens arrived and frames were drawn, but the page does not show all of the tokens.`,
      expected: 'Expected the first frame to show all tokens that had arrived.',
    },
  )
})

/** More tokens than a page could show in one frame. */
const TOKENS = 50

/** Enough turns of the event loop for a token to reach the page, and for React to render it. */
const TURNS_OF_A_TOKEN = 5

check('10.7d', 'when an answer ends, the page shows all of its tokens', async (t) => {
  const { ask, asker, is, shows } = await askingPage(t)
  const tokens = Array.from({ length: BURST }, (_, n) => ` ${n}`)
  const text = tokens.join('')
  const answer = await ask('Why?')
  answer.done(...tokens)
  await is('complete')
  const kept = asker.now.text.getSnapshot()
  must(kept === text, {
    seen: `${BURST} tokens and the event named "done" arrived at once. The state is "complete", but the text of useAnswer() lacks some of the tokens.`,
    expected: 'Expected the text to have every token when the state is "complete".',
    often: 'your hook discards the tokens that wait for the next frame.',
  })
  await shows(text, () => ({
    seen: `${BURST} tokens and the event named "done" arrived at once. The text of useAnswer() has every token, but <AnswerText> does not show all of them.`,
    expected: 'Expected <AnswerText> to show every token.',
    often:
      'your store cancels the frame at the end of the answer, and does not call its listeners.',
  }))
})

const BURST = 1000

check('10.7e', 'stop() stops the running answer by its name and keeps its text', async (t) => {
  const { server, ask, asker, shows, is, isToldToStop } = await askingPage(t)
  const answer = await ask('Why?')
  answer.send('The', ' plates')
  await shows('The plates')
  t.transcript.step('stop()')
  asker.now.stop()
  await isToldToStop({
    seen: () =>
      `A component called stop()${answer.isOpen ? '' : ' and disconnected'}, but the server got no request to stop the answer.`,
    expected: 'Expected a POST to /answers/KEY/stop with the key of the running answer.',
    ...(!answer.isOpen && {
      often:
        'your stop() only aborts the request. The server cannot tell that from a lost connection.',
    }),
  })
  must(server.stops[0] === answer.key, {
    seen: 'A component called stop(), and the server got a request to stop an answer that does not exist.',
    expected: 'Expected the Idempotency-Key of the running question as the name.',
    often: 'your hook does not pass the same id to ask() and to stop().',
  })
  await is('stopped', () => ({
    seen: `The answer was stopped, but the state is ${JSON.stringify(asker.now.state)}.`,
    expected: 'Expected the name of the state to be "stopped".',
    often:
      asker.now.state.name === 'complete'
        ? 'your hook shows every end as "complete". Show the name of the outcome.'
        : asker.now.state.name === 'answering'
          ? 'your hook does not show the outcome of ask().'
          : 'your hook aborts its own request, and shows the outcome of that.',
  }))
  const wrong = asker.states.filter((name) => !['idle', 'answering', 'stopped'].includes(name))
  must(wrong.length === 0, {
    seen: `The answer was stopped, and the state was "${wrong[0]}" before it was "stopped".`,
    expected: 'Expected the state to change from "answering" to "stopped".',
  })
  await shows('The plates', () => ({
    seen: `The answer "The plates" was stopped, and now <AnswerText> shows ${JSON.stringify(asker.text)}.`,
    expected: 'Expected <AnswerText> to keep the text that has arrived.',
  }))
})

check(
  '10.7f',
  'a new question stops the running answer, whose late tokens do not appear',
  async (t) => {
    const { server, ask, asker, shows, is, isToldToStop } = await askingPage(t, {
      whenStopped: 'goes on',
    })
    const first = await ask('Why?')
    first.send('Because')
    await shows('Because')
    const second = await ask('When?')
    await isToldToStop({
      seen: 'A new question was asked while an answer was running, but the server got no request to stop that answer.',
      expected: 'Expected a POST to /answers/KEY/stop with the key of the previous question.',
      often: first.isOpen
        ? 'your ask() does not stop the running answer.'
        : 'your ask() only aborts the previous request. The server cannot tell that from a lost connection.',
    })
    must(
      server.stops.every((key) => key === first.key),
      {
        seen: `A second question was asked, and the server got a request to stop ${inWords(
          server.answers,
          server.stops.find((key) => key !== first.key)!,
        )}.`,
        expected: 'Expected a request to stop only answer 1.',
        often:
          'your hook stops the answer with the new id. Stop the old one before you replace its id.',
      },
    )
    await shows('', () => ({
      seen: `A second question was asked, but <AnswerText> still shows ${JSON.stringify(asker.text)}.`,
      expected: 'Expected the text to be empty until the first token of answer 2 arrives.',
    }))
    // The server may send more tokens before it stops.
    if (first.isOpen) first.send(' the')
    await turns(TURNS_OF_A_TOKEN)
    second.send('Nobody')
    await shows('Nobody', () => ({
      seen: `Answer 1 sent one more token after question 2 was asked. Answer 2 begins with "Nobody", but <AnswerText> shows ${JSON.stringify(asker.text)}.`,
      expected: 'Expected <AnswerText> to show only the tokens of answer 2.',
      often: 'your onToken does not check whether its answer is still the current one.',
    }))
    if (first.isOpen) first.stopped()
    await turns(TURNS_OF_A_TOKEN)
    second.send(' knows')
    await shows('Nobody knows', () => ({
      seen: `Answer 1 ended while answer 2 was running. The text of answer 2 is "Nobody knows", but <AnswerText> shows ${JSON.stringify(asker.text)}.`,
      expected: 'Expected the end of answer 1 to change nothing.',
    }))
    const { state } = asker.now
    must(state.name === 'answering' && state.question === 'When?', {
      seen: `Answer 1 ended while answer 2 was running, and the state is now ${JSON.stringify(state)}.`,
      expected: 'Expected the state to be "answering" with question 2.',
      often: 'your hook sets the state when ask() resolves, even if a newer question is running.',
    })
    second.done()
    await is('complete')
    const wrong = asker.states.filter((name) => !['idle', 'answering', 'complete'].includes(name))
    must(wrong.length === 0, {
      seen: `A second question was asked while answer 1 was running, and for a moment the state was "${wrong[0]}".`,
      expected: 'Expected the state to stay "answering".',
    })
  },
)

check('10.7g', 'unmounting disconnects, but does not stop the answer', async (t) => {
  const { server, ask, shows, page, unmount } = await askingPage(t)
  const answer = await ask('Why?')
  answer.send('The')
  await shows('The')
  unmount()
  await page.waitFor(() => !answer.isOpen, {
    seen: 'The component unmounted, but its request is still open.',
    expected: 'Expected the component to disconnect, because nobody sees the answer any more.',
    often: 'your hook has no effect whose cleanup aborts the request.',
  })
  t.transcript.step('the page has disconnected')
  await roundTrips(server.url)
  must(server.stops.length === 0, {
    seen: 'The component unmounted, and the server got a request to stop the answer.',
    expected:
      'Expected no request. The component also unmounts when the user opens another page, and the answer may be fetched later.',
    often: 'the cleanup of your effect calls stop().',
  })
})

check('10.7h', 'under StrictMode, a question is asked once, and its answer arrives', async (t) => {
  const { server, ask, asker, shows, is } = await askingPage(t, { strict: true })
  const answer = await ask('Why?')
  await roundTrips(server.url)
  must(server.answers.length === 1, {
    seen: `A component under StrictMode called ask() once, and the server got ${server.answers.length} questions.`,
    expected: 'Expected one question, because every question costs money.',
    often:
      'your hook sends the request in an effect, or in a function that it passes to setState(). StrictMode runs both of them twice.',
  })
  answer.send('The')
  await shows('The', () => ({
    seen: `A component under StrictMode asked a question. Its answer sent "The", but the state is "${asker.now.state.name}", and <AnswerText> shows ${JSON.stringify(asker.text)}.`,
    expected: 'Expected <AnswerText> to show "The".',
  }))
  answer.done()
  await is('complete')
})

edgeCase('10.7i', 'if the request to stop fails, the page disconnects', async (t) => {
  const { ask, asker, shows, page, isToldToStop } = await askingPage(t, { whenStopped: 'cut' })
  const answer = await ask('Why?')
  answer.send('The')
  await shows('The')
  t.transcript.step('stop()')
  asker.now.stop()
  await isToldToStop({
    seen: 'A component called stop(), but the server got no request to stop the answer.',
    expected: 'Expected a POST to /answers/KEY/stop with the key of the running answer.',
  })
  await page.waitFor(() => !answer.isOpen, {
    seen: 'The request to stop the answer failed, and the page still reads the answer.',
    expected: 'Expected the page to disconnect. Without a reader, the server may stop by itself.',
    often: 'your hook ignores the rejection of the stop() from client.ts.',
  })
  await shows('The', () => ({
    seen: `The answer "The" was stopped, and now <AnswerText> shows ${JSON.stringify(asker.text)}.`,
    expected: 'Expected <AnswerText> to keep the text that has arrived.',
  }))
})

edgeCase('10.7j', 'the state of a failed answer has the reason of the server', async (t) => {
  const { ask, asker, is, shows } = await askingPage(t)
  const answer = await ask('Why?')
  answer.send('The')
  await shows('The')
  answer.fail('the model is overloaded')
  await is('failed')
  const { state } = asker.now
  must('why' in state && state.why === 'the model is overloaded', {
    seen: `The answer failed with "the model is overloaded", and the state is ${JSON.stringify(state)}.`,
    expected: 'Expected the property "why" to be the message of the server.',
  })
  await shows('The', () => ({
    seen: `The answer "The" failed, and now <AnswerText> shows ${JSON.stringify(asker.text)}.`,
    expected: 'Expected <AnswerText> to keep the text that has arrived.',
  }))
})

edgeCase('10.7k', 'two components read two answers at the same time', async (t) => {
  const { server, ask, askers, shows, is } = await askingPage(t, { count: 2 })
  const [one, other] = askers
  const first = await ask('Why?', one)
  first.send('Because')
  await shows('Because')
  const second = await ask('When?', other)
  second.send('Nobody')
  await shows('Nobody', undefined, other)
  first.send(' the')
  await shows('Because the', () => ({
    seen: `The text of the first component is "Because the". Its <AnswerText> shows ${JSON.stringify(one!.text)} since another component has asked a question.`,
    expected: 'Expected each component to show its own answer.',
    often: 'your hook keeps the running answer or its text in a variable outside of the hook.',
  }))
  must(server.stops.length === 0, {
    seen: 'A component asked a question, and the server got a request to stop the answer of another component.',
    expected: 'Expected ask() to stop only the previous answer of the same component.',
    often: 'your hook keeps the running answer in a variable outside of the hook.',
  })
  first.done()
  second.done()
  await is('complete')
})

/** Completes two requests of its own. By then, a request that the page has sent before has arrived. */
async function roundTrips(url: string): Promise<void> {
  for (let n = 0; n < 2; n += 1) {
    const response = await fetch(`${url}/round-trip`, { headers: { Connection: 'close' } })
    await response.text()
    await turns()
  }
}

/** Returns `once`, `twice` or `3 times`. */
function times(count: number): string {
  return ['0 times', 'once', 'twice'][count] ?? `${count} times`
}
