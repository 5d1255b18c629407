import type { ServerState } from '../../../../protocol/page.ts'
import { useStore } from '../state/store.ts'
import { theme } from '../state/theme.ts'
import { ActionButton } from '../ui/ActionButton.tsx'

/** Shows the lesson's component, which runs on a page of its own, in a frame. */
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
          Open in a new tab
        </a>
      </div>
      <iframe title="The component, live" src={`${url}#${colours}`} />
    </section>
  )
}

/**
 * Reloads the page if its security policy blocks the component. The policy names the origins that the page may show
 * in frames, so the policy is out of date after a switch to another lesson. Reloading the page fetches a new policy.
 */
export function reloadForBlockedFrames(): void {
  document.addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI }) => {
    if (effectiveDirective !== 'frame-src') return
    // If one reload did not help, another one will not help either.
    if (sessionStorage.getItem('frame') === blockedURI) return
    sessionStorage.setItem('frame', blockedURI)
    location.reload()
  })
}
