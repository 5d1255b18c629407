import express, { type Express } from 'express'

// You find this program in many articles. It works in a demo, but see what it leaves behind.
export function createApp(): Express {
  const app = express()

  app.get('/sse', (req, res) => {
    res.setHeader('Content-Type', 'text/event-stream')
    res.setHeader('Cache-Control', 'no-cache')
    res.setHeader('Connection', 'keep-alive')

    setInterval(() => {
      const value = Math.random()
      res.write(`data: {"value": ${value}}\n\n`)
    }, 2000)
  })

  return app
}
