import type { ComponentPropsWithoutRef } from 'react'
import type { Action } from '../../../protocol/page.ts'
import { act } from './act.ts'
import { useIsGone } from './page-state.ts'

/** A button that asks the workshop to do something. While the workshop is gone, there is nobody to ask. */
export function ActButton({
  action,
  disabled = false,
  ...rest
}: { action: Action } & Omit<ComponentPropsWithoutRef<'button'>, 'type' | 'onClick'>) {
  const isGone = useIsGone()
  return (
    <button type="button" disabled={disabled || isGone} onClick={() => act(action)} {...rest} />
  )
}
