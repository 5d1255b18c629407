import { fileURLToPath } from 'node:url'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

export default defineConfig({
  root: fileURLToPath(new URL('browser', import.meta.url)),
  plugins: [react()],
  // Otherwise Vite would use a PostCSS configuration from a parent folder.
  css: { postcss: {} },
  build: {
    // The page's security policy does not allow data: URLs.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 2000,
    emptyOutDir: true,
  },
})
