import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

const root = fileURLToPath(new URL('browser', import.meta.url))

export default defineConfig({
  root,
  // Relative, because for followers everything is below the join code.
  base: './',
  plugins: [react()],
  // Otherwise Vite would use a PostCSS configuration in a parent folder.
  css: { postcss: {} },
  build: {
    rolldownOptions: { input: ['index.html', 'demo.html'].map((name) => `${root}/${name}`) },
    // The policy of the deck allows files of its own server, but no data: URLs.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 2000,
    emptyOutDir: true,
  },
})
