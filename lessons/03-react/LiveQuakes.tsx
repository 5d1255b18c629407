import type { ReactNode } from 'react'
import { useQuakes } from './useQuakes.ts'

/** Shows the newest quakes at `url` and the state of the connection. */
export function LiveQuakes({ url }: { url: string }): ReactNode {
  throw new Error('lesson 3, task 3.7: write LiveQuakes()')
}
