import { copiedRequest, curlOf, type CopiedRequest } from '../../../../protocol/curl.ts'
import { messageAt } from '../../../../wire/messages.ts'
import { notify } from '../state/notification.ts'
import { SHELL } from '../ui/shell.ts'
import { view } from './wire-view.ts'

/** Copies the command with which curl sends the request of entry `n` again. */
export function CopyAsCurl({ n }: { n: number }) {
  return (
    <button
      type="button"
      className="plain"
      title={`Copy a command for ${SHELL_IN_WORDS[SHELL]}, with the request's cookies and Authorization header`}
      onClick={() => void copy(n)}
    >
      Copy as curl
    </button>
  )
}

const SHELL_IN_WORDS = { POSIX: 'sh, bash or zsh', PowerShell: 'Windows PowerShell' }

async function copy(n: number): Promise<void> {
  try {
    const made = curlOf(await requestOf(n), SHELL)
    if ('problem' in made) {
      notify(made.problem, true)
      return
    }
    await navigator.clipboard.writeText(made.command)
    notify(`Command for ${SHELL_IN_WORDS[SHELL]} copied.`)
  } catch (error) {
    notify((error as Error).message, true)
  }
}

/** Returns the request from the open recording or from the workshop. */
async function requestOf(n: number): Promise<CopiedRequest> {
  const { saved } = view.get()
  if (saved) {
    const message = messageAt(saved.entries, n)
    if (!message) throw new Error('The recording does not contain this request.')
    return copiedRequest(message)
  }
  const response = await fetch(`/wire/${n}/request`)
  if (!response.ok) throw new Error((await response.text()).trim())
  return response.json()
}
