import type { ReactNode } from 'react'
import { useQuakes } from './useQuakes.ts'

/** The newest quakes at `url`, and how the connection is doing. */
export function LiveQuakes({ url }: { url: string }): ReactNode {
  throw new Error('lesson 3, task 3.7: write LiveQuakes()')
}
