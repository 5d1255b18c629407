import type { Reading } from './messages.ts'
import { leftovers, type Soaked } from './soak.ts'

/** Returns a table with three rows for each lesson, as Markdown. */
export function soakTable(all: readonly Soaked[]): string {
  const head = ['lesson', 'visits', '', ...Object.values(COLUMNS), 'left over']
  const rows = all.flatMap((soaked) => [
    [soaked.lesson, soaked.visits, 'before', ...cellsOf(soaked.before), ''],
    ['', '', 'peak', ...cellsOf(soaked.peak), ''],
    ['', '', 'after', ...cellsOf(soaked.after), leftovers(soaked).join(', ') || 'nothing'],
  ])
  return [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n')
}

const COLUMNS: Record<keyof Reading, string> = {
  listeners: 'listeners',
  timers: 'timers',
  sockets: 'sockets',
  responses: 'responses',
  full: 'full',
  heapMB: 'heap in MB',
}

function cellsOf({ listeners, timers, sockets, responses, full, heapMB }: Reading): unknown[] {
  return [listeners, timers, sockets, responses, full, heapMB.toFixed(1)]
}
