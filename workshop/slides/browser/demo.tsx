/// <reference types="vite/client" />
import { createRoot } from 'react-dom/client'
import '../../page/browser/colours.css'
import { channelState } from '../../page/browser/state/page-state.ts'
import { requestAction } from '../../page/browser/state/request-action.ts'
import { applyTheme } from '../../page/browser/state/theme.ts'
import { watchWorkshop } from '../../page/browser/watch-workshop.ts'
import { RunningProgram } from './RunningProgram.tsx'
import './demo.css'

applyTheme()
watchWorkshop()
// Run the program only after this page has subscribed. The session stops the program when no page is subscribed, and the
// page of the previous slide may unsubscribe only now.
const stopWaiting = channelState.listen(() => {
  stopWaiting()
  void requestAction({ do: 'run', scene: new URLSearchParams(location.search).get('scene') ?? '' })
})
createRoot(document.getElementById('page')!).render(<RunningProgram />)

// Pass these keys on to the deck, because the instructor expects the arrow keys to move it even after pressing a button here.
const KEYS: Record<string, 'next' | 'prev'> = {
  ArrowRight: 'next',
  PageDown: 'next',
  ArrowLeft: 'prev',
  PageUp: 'prev',
}
addEventListener('keydown', ({ key }) => {
  const method = KEYS[key]
  if (method) parent.postMessage(JSON.stringify({ method }), '*')
})
