import { store } from './store.ts'

export type Theme = 'system' | 'dark' | 'light'

const ORDER: Theme[] = ['system', 'dark', 'light']

export const theme = store<Theme>(remembered())

export function nextTheme(): void {
  theme.set(ORDER[(ORDER.indexOf(theme.get()) + 1) % ORDER.length]!)
  localStorage.setItem('theme', theme.get())
  applyTheme()
}

/** The style sheet does the rest: `color-scheme` decides which of each pair of colours is taken. */
export function applyTheme(): void {
  document.documentElement.dataset.theme = theme.get()
}

function remembered(): Theme {
  return ORDER.find((name) => name === localStorage.getItem('theme')) ?? 'system'
}
