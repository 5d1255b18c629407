import { EventSource } from 'eventsource'

// The client of the same articles.
export function connect(url: string): void {
  const eventSource = new EventSource(url)

  eventSource.addEventListener('message', (event) => {
    const eventData = JSON.parse(event.data)
    console.log('data:', eventData)
  })

  eventSource.addEventListener('error', (error) => {
    console.error('Error occurred:', error.type, '· readyState', eventSource.readyState)
    eventSource.close()
  })
}
