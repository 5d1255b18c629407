import type { Browser } from '@playwright/test'

/** A tab that can be behind another one. The pages of Playwright are never hidden. */
export type Tab = {
  /** What the expression comes to, when it is a promise, too. */
  evaluate<T>(expression: string): Promise<T>
  /** Until the expression is true, which is looked at again and again. */
  until(expression: string): Promise<void>
  /** Opens another tab before it. */
  hide(): Promise<void>
  /** Only of a hidden one: from now on nothing of it runs. */
  freeze(): Promise<void>
  /** It is in front again, and wakes up if it was frozen. */
  show(): Promise<void>
  close(): Promise<void>
}

/** Speaks to the browser itself, by its protocol: https://chromedevtools.github.io/devtools-protocol/ */
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
      // Between two documents there is nothing to ask.
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

/** From one look to the next: a page that is looked at without a pause has no time for anything else. */
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
