/// <reference types="vite/client" />
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { App } from './App.tsx'
import { reloadForBlockedFrames } from './server/LiveComponent.tsx'
import { applyTheme } from './state/theme.ts'
import { watchWorkshop } from './watch-workshop.ts'
import './colours.css'
import './page.css'
import './experiment/experiment.css'
import './load/load.css'
import './processes/processes.css'
import './server/meter.css'
import './ui/space-time.css'
import './wire/wire.css'

applyTheme()
reloadForBlockedFrames()
watchWorkshop()
createRoot(document.getElementById('page')!).render(
  <StrictMode>
    <App />
  </StrictMode>,
)
