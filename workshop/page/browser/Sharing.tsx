import type { SharingState } from '../../../protocol/page.ts'
import { sharedWhat, sharingStatus } from '../../../protocol/sharing.ts'
import { ActionButton } from './ui/ActionButton.tsx'

/** Says what the instructor's board shows of the learner, and ends it on request. */
export function Sharing({ sharing }: { sharing: SharingState }) {
  const isOver = sharing.state === 'ended'
  return (
    <aside className="sharing" aria-label="Shared progress">
      <p>
        {!isOver && sharedWhat(sharing)} <span role="status">{sharingStatus(sharing)}</span>
      </p>
      {!isOver && <ActionButton action={{ do: 'stop sharing' }}>End sharing</ActionButton>}
    </aside>
  )
}
