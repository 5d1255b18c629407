import type { ServerState } from '../../../../protocol/page.ts'
import { useStore } from '../state/store.ts'
import { theme } from '../state/theme.ts'
import { ActionButton } from '../ui/ActionButton.tsx'

/** The component of the lesson, live, on a page of its own that is shown in a frame. */
export function LiveComponent({ url, server }: { url: string; server: ServerState }) {
  const colours = useStore(theme)
  return (
    <section className="component" aria-labelledby="component-title">
      <div className="bar">
        <h2 id="component-title">Component</h2>
        <ActionButton action={{ do: 'kill' }} disabled={server.state !== 'running'}>
          Kill the server
        </ActionButton>
        <a className="button plain" href={url} target="_blank" rel="noopener">
          Open in a tab of its own
        </a>
      </div>
      <iframe title="The component, live" src={`${url}#${colours}`} />
    </section>
  )
}

/**
 * Reloads the page when it may not show the component: it came with a policy that names what may be in a frame, which
 * is out of date when another lesson was chosen since. A new policy comes with the page.
 */
export function reloadForBlockedFrames(): void {
  document.addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI }) => {
    if (effectiveDirective !== 'frame-src') return
    // If that does not help, nothing will.
    if (sessionStorage.getItem('frame') === blockedURI) return
    sessionStorage.setItem('frame', blockedURI)
    location.reload()
  })
}
