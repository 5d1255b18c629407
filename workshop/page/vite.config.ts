import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

export default defineConfig({
  root: fileURLToPath(new URL('browser', import.meta.url)),
  plugins: [react()],
  // Else a configuration somewhere above this folder would be used.
  css: { postcss: {} },
  build: {
    // The page loads files of its server, and no data: URLs.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 2000,
    emptyOutDir: true,
  },
})
