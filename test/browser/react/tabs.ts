import type { Browser } from '@playwright/test'

/** A tab that another tab can hide, unlike Playwright's pages. */
export type Tab = {
  /** Evaluates an expression, and awaits it if it is a promise. */
  evaluate<T>(expression: string): Promise<T>
  /** Waits until an expression is true, by polling. */
  until(expression: string): Promise<void>
  /** Hides this tab by opening another one. */
  hide(): Promise<void>
  /** Freezes the tab, which must be hidden. */
  freeze(): Promise<void>
  /** Shows the tab again, and wakes it up if it was frozen. */
  show(): Promise<void>
  close(): Promise<void>
}

/** Controls the browser through the DevTools protocol: https://chromedevtools.github.io/devtools-protocol/ */
export async function openTab(browser: Browser, url: string): Promise<Tab> {
  const root = await browser.newBrowserCDPSession()
  const { targetId } = await root.send('Target.createTarget', { url })
  const { sessionId } = await root.send('Target.attachToTarget', { targetId, flatten: false })
  const waiting = new Map<number, (answer: Answer) => void>()
  const others: string[] = []
  let asked = 0

  root.on('Target.receivedMessageFromTarget', (received) => {
    if (received.sessionId !== sessionId) return
    const { id, ...answer } = JSON.parse(received.message)
    waiting.get(id)?.(answer)
    waiting.delete(id)
  })

  async function send(method: string, params: object = {}): Promise<Answer['result']> {
    asked += 1
    const id = asked
    const answered = new Promise<Answer>((resolve) => waiting.set(id, resolve))
    const message = JSON.stringify({ id, method, params })
    await root.send('Target.sendMessageToTarget', { sessionId, message })
    const { result, error } = await answered
    const thrown = error ?? result?.exceptionDetails
    if (thrown) throw new Error(`${method}: ${JSON.stringify(thrown)}`)
    return result
  }

  async function evaluate<T>(expression: string): Promise<T> {
    const options = { expression, awaitPromise: true, returnByValue: true }
    return (await send('Runtime.evaluate', options))!.result!.value as T
  }

  return {
    evaluate,
    async until(expression) {
      // Poll, because DevTools has no event for a page's own state. If the page never reaches the state, the test times out.
      // During a navigation, there is no document in which to evaluate the expression.
      const isTrue = () => evaluate(expression).catch(unlessBetweenDocuments)
      while (!(await isTrue())) await new Promise((resolve) => setTimeout(resolve, PAUSE_MS))
    },
    async hide() {
      const other = await root.send('Target.createTarget', { url: 'about:blank' })
      others.push(other.targetId)
      await root.send('Target.activateTarget', other)
    },
    freeze: async () => void (await send('Page.setWebLifecycleState', { state: 'frozen' })),
    async show() {
      await root.send('Target.activateTarget', { targetId })
    },
    async close() {
      for (const id of [...others, targetId]) {
        await root.send('Target.closeTarget', { targetId: id })
      }
      await root.detach()
    },
  }
}

/** The polling interval. Without a pause, polling would leave no time for the page itself. */
const PAUSE_MS = 50

type Answer = {
  result?: { result?: { value?: unknown }; exceptionDetails?: unknown }
  error?: unknown
}

function unlessBetweenDocuments(error: Error): false {
  if (/Cannot find default execution context|context was destroyed/.test(error.message))
    return false
  throw error
}
