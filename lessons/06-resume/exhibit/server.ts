import express, { type Express } from 'express'

// A server as you find it in many articles. Look at what it does after ten seconds, and at what its client
// makes of that.
export function createApp(): Express {
  const app = express()

  app.get('/sse', (req, res) => {
    res.setHeader('Content-Type', 'text/event-stream')
    res.setHeader('Cache-Control', 'no-cache')
    res.setHeader('Connection', 'keep-alive')

    const sendData = (data: object) => {
      res.write(`data: ${JSON.stringify(data)}\n\n`)
    }

    // Simulate sending data every 2 seconds
    const intervalId = setInterval(() => {
      const randomData = { value: Math.random() }
      sendData(randomData)
    }, 2000)

    // Close the connection after 10 seconds (for demonstration purposes)
    setTimeout(() => {
      clearInterval(intervalId)
      res.end()
    }, 10000)
  })

  return app
}
