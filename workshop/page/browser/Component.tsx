import type { ServerState } from '../../../protocol/page.ts'
import { ActButton } from './ActButton.tsx'
import { useStore } from './store.ts'
import { theme } from './theme.ts'

/** The component of the lesson, live, on a page of its own that is shown in a frame. */
export function Component({ url, server }: { url: string; server: ServerState }) {
  const colours = useStore(theme, (now) => now)
  return (
    <section className="component" aria-labelledby="component-title">
      <div className="bar">
        <h2 id="component-title">Component</h2>
        <ActButton action={{ do: 'kill' }} disabled={server.state !== 'running'}>
          Kill the server
        </ActButton>
        <a className="button plain" href={url} target="_blank" rel="noopener">
          Open in a tab of its own
        </a>
      </div>
      <iframe title="The component, live" src={`${url}#${colours}`} />
    </section>
  )
}
