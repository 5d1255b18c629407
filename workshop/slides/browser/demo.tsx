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
// Once it looks: where nobody does the program is ended, and the slide before may be noticed to have gone only now.
const stopWaiting = channelState.listen(() => {
  stopWaiting()
  void requestAction({ do: 'run', scene: new URLSearchParams(location.search).get('scene') ?? '' })
})
createRoot(document.getElementById('page')!).render(<RunningProgram />)

// Whoever has pressed something here is still giving a talk: their next key is for the deck.
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
