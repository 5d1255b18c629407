import express, { type Express } from 'express'

// The server that goes with SSEExample.jsx: a number every two seconds.
export function createApp(): Express {
  const app = express()

  app.get('/sse', (req, res) => {
    res.set({ 'Content-Type': 'text/event-stream', 'Cache-Control': 'no-cache' })
    res.flushHeaders()
    const interval = setInterval(() => {
      res.write(`data: {"value": ${Math.random()}}\n\n`)
    }, 2000)
    res.on('close', () => clearInterval(interval))
  })

  return app
}
