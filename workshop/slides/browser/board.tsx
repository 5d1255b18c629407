/// <reference types="vite/client" />
import { createRoot } from 'react-dom/client'
import '../../page/browser/colours.css'
import { applyTheme } from '../../page/browser/state/theme.ts'
import { RoomBoard } from './RoomBoard.tsx'
import './fonts.ts'
import './board.css'

applyTheme()
createRoot(document.getElementById('page')!).render(<RoomBoard />)
