import type { ClientState, PageState, ServerState } from '../../protocol/page.ts'

/** The counters at the end of the run of a scene. They do not cross the wire. */
export type RunEnd = {
  server: Pick<ServerState, 'readers' | 'leaks'>
  clients: Pick<ClientState, 'id' | 'state' | 'quakes'>[]
}

/** Adds the counters to the first line of a recording, where readers of the wire ignore them. */
export function withEnd(head: string, { server, clients }: PageState): string {
  const { readers, leaks } = server
  const end: RunEnd = {
    server: { ...(readers !== undefined && { readers }), ...(leaks && { leaks }) },
    clients: clients.map(({ id, state, quakes }) => ({ id, state, quakes })),
  }
  return `${JSON.stringify({ ...(JSON.parse(head) as object), end })}\n`
}

/** Returns the counters in a recording, or undefined if it was recorded without them. */
export function endIn(recording: string): RunEnd | undefined {
  const [head = ''] = recording.split('\n', 1)
  return (JSON.parse(head) as { end?: RunEnd }).end
}
