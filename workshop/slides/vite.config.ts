import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

const root = fileURLToPath(new URL('browser', import.meta.url))

export default defineConfig({
  root,
  // Use relative URLs, because for followers, the path of every file begins with the join code.
  base: './',
  plugins: [react()],
  // Otherwise Vite would use a PostCSS configuration in a parent folder.
  css: { postcss: {} },
  build: {
    rolldownOptions: {
      input: ['index.html', 'demo.html', 'board.html'].map((name) => `${root}/${name}`),
    },
    // The deck's policy allows files from its own server, but no data: URLs.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 2000,
    emptyOutDir: true,
  },
})
