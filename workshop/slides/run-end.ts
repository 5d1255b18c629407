import type { ClientState, PageState, ProcessesState, ServerState } from '../../protocol/page.ts'

/** The counters at the end of the run of a scene. They do not cross the wire. */
export type RunEnd = {
  server: Pick<ServerState, 'readers' | 'leaks' | 'meter'>
  /** The processes of the server, if there are several. */
  processes?: ProcessesState['processes']
  clients: Pick<ClientState, 'id' | 'state' | 'quakes' | 'answer'>[]
}

/** Adds the counters to the first line of a recording, where readers of the wire ignore them. */
export function withEnd(head: string, { server, processes, clients }: PageState): string {
  const { readers, leaks, meter } = server
  const end: RunEnd = {
    server: {
      ...(readers !== undefined && { readers }),
      ...(leaks && { leaks }),
      ...(meter && { meter }),
    },
    ...(processes && { processes: processes.processes }),
    clients: clients.map(({ id, state, quakes, answer }) => ({
      id,
      state,
      quakes,
      ...(answer && { answer }),
    })),
  }
  return `${JSON.stringify({ ...(JSON.parse(head) as object), end })}\n`
}

/** Returns the counters in a recording, or undefined if it was recorded without them. */
export function endIn(recording: string): RunEnd | undefined {
  const [head = ''] = recording.split('\n', 1)
  return (JSON.parse(head) as { end?: RunEnd }).end
}
