import type { ComponentPropsWithoutRef } from 'react'
import type { Action } from '../../../../protocol/page.ts'
import { useIsGone } from '../state/page-state.ts'
import { requestAction } from '../state/request-action.ts'

/** Renders a button that sends an action to the workshop. The button is disabled while the workshop is not connected. */
export function ActionButton({
  action,
  disabled = false,
  ...rest
}: { action: Action } & Omit<ComponentPropsWithoutRef<'button'>, 'type' | 'onClick'>) {
  const isGone = useIsGone()
  return (
    <button
      type="button"
      disabled={disabled || isGone}
      onClick={() => requestAction(action)}
      {...rest}
    />
  )
}
