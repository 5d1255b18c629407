/** Lists the formats in which the recording can be saved. */
export function SaveMenu() {
  return (
    <details className="legend save">
      <summary>Save</summary>
      <ul>
        <li>
          <a href="/wire.ndjson" download>
            Save the recording
          </a>{' '}
          for this page and for <code>npm run wire replay</code>
        </li>
        <li>
          <a href="/wire.har" download>
            Save as HAR
          </a>{' '}
          for browsers and other tools
        </li>
        <li className="quiet">
          Both files contain everything that was sent, including cookies and Authorization headers.
        </li>
      </ul>
    </details>
  )
}
