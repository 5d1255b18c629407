/// <reference types="vite/client" />
import { createRoot } from 'react-dom/client'
import '../../page/browser/colours.css'
import { channelState } from '../../page/browser/state/page-state.ts'
import { requestAction } from '../../page/browser/state/request-action.ts'
import { applyTheme } from '../../page/browser/state/theme.ts'
import { watchWorkshop } from '../../page/browser/watch-workshop.ts'
import { RunningProgram } from './RunningProgram.tsx'
import './fonts.ts'
import './demo.css'

const scene = new URLSearchParams(location.search).get('scene')

applyTheme()
watchWorkshop()
// Without a scene, somebody only watches the program that the instructor runs.
if (scene !== null) {
  // Run the program only after this page has subscribed. The session stops the program when no page is subscribed, and the
  // page of the previous slide may unsubscribe only now.
  const stopWaiting = channelState.listen(() => {
    stopWaiting()
    void requestAction({ do: 'run', scene })
  })
}
createRoot(document.getElementById('page')!).render(<RunningProgram isWatched={scene === null} />)

// The keys are for the deck, except those that press the button that has the focus.
addEventListener('keydown', (event) => {
  const { key, keyCode, shiftKey, altKey, ctrlKey, metaKey, target } = event
  if (target instanceof HTMLButtonElement && (key === ' ' || key === 'Enter')) return
  parent.postMessage({ key, keyCode, shiftKey, altKey, ctrlKey, metaKey }, '*')
})
