import type { ReactNode, Ref } from 'react'
import { store, useStore } from '../state/store.ts'
import { unselect } from './wire-view.ts'

/** Whether the details are enlarged to fill all of the available space. */
const isLarge = store(false)

/** Shows the details of whatever is selected, below its title, which can be enlarged. */
export function DetailsPane({
  label,
  title,
  actions,
  children,
  ref,
}: {
  label: string
  /** Absent if nothing is selected. */
  title: string | undefined
  /** Buttons beside the title. */
  actions?: ReactNode
  children: ReactNode
  ref?: Ref<HTMLDivElement>
}) {
  const large = useStore(isLarge)
  return (
    <div
      className={large && title ? 'arrival large' : 'arrival'}
      role="region"
      aria-label={label}
      id="details"
      tabIndex={0}
      ref={ref}
    >
      {title && (
        <div className="title">
          <h3 aria-live="polite">{title}</h3>
          <span className="title-buttons">
            {actions}
            <button
              type="button"
              className="plain"
              aria-pressed={large}
              onClick={() => isLarge.set(!large)}
            >
              Enlarge
            </button>
            <button type="button" className="plain" onClick={unselect}>
              Close
            </button>
          </span>
        </div>
      )}
      {children}
    </div>
  )
}
