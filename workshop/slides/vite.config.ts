import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

const root = fileURLToPath(new URL('browser', import.meta.url))

export default defineConfig({
  root,
  // Followers find it behind their code.
  base: './',
  plugins: [react()],
  // Else a configuration somewhere above this folder would be used.
  css: { postcss: {} },
  build: {
    rolldownOptions: { input: ['index.html', 'demo.html'].map((name) => `${root}/${name}`) },
    // The deck loads files of its server, and no data: URLs.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 2000,
    emptyOutDir: true,
  },
})
