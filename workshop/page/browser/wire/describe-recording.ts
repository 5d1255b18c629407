import type { Origin } from '../../../../wire/recording.ts'

/** Returns `Recording: wire.ndjson, of http://127.0.0.1:8080, 3 June 14:02`. */
export function describeRecording({ name, server, began }: Origin & { name: string }): string {
  const of = server === undefined ? '' : `, of ${server}`
  return `Recording: ${name}${of}${began ? `, ${formatMoment(began)}` : ''}`
}

function formatMoment(moment: Date): string {
  const date = moment.toLocaleDateString('en-GB', { day: 'numeric', month: 'long' })
  const time = moment.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' })
  return `${date} ${time}`
}
