import { store } from './store.ts'

export type Theme = 'system' | 'dark' | 'light'

const ORDER: Theme[] = ['system', 'dark', 'light']

export const theme = store<Theme>(remembered())

export function nextTheme(): void {
  theme.set(ORDER[(ORDER.indexOf(theme.get()) + 1) % ORDER.length]!)
  localStorage.setItem('theme', theme.get())
}

/**
 * Applies the theme to the document, so that `color-scheme` selects one of each pair of colours in the style sheet. Call
 * this before other listeners are added, so that a listener that reads colours gets the new ones.
 */
export function applyTheme(): void {
  const apply = (): void => {
    document.documentElement.dataset.theme = theme.get()
  }
  apply()
  theme.listen(apply)
}

function remembered(): Theme {
  return ORDER.find((name) => name === localStorage.getItem('theme')) ?? 'system'
}
