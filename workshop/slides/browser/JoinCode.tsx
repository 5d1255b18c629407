import encodeQR from 'qr'
import { useDeck } from './deck-context.ts'

/** If the deck is shared, shows the address and the code for followers, and a QR code that contains both. */
export function JoinCode() {
  const { role } = useDeck()
  if (role.role !== 'instructor' || !role.join) return null
  const { urls, code } = role.join
  const [first, ...others] = urls
  if (first === undefined) return <p>This machine has no network, so nobody can follow.</p>
  return (
    <div className="join">
      <QrCode text={`${first}/${code}/`} />
      <div>
        <p>Follow on your own screen:</p>
        <p className="address">{first.replace('http://', '')}</p>
        <p>
          Code <strong className="code">{code}</strong>
        </p>
        {others.length > 0 && (
          <p className="quiet">
            On another network: {others.map((url) => url.replace('http://', '')).join(', ')}
          </p>
        )}
      </div>
    </div>
  )
}

/** Draws a QR code. It is dark on white in both themes, because many cameras read no other. */
function QrCode({ text }: { text: string }) {
  const rows = encodeQR(text, 'raw', { border: 3 })
  const dark = rows.flatMap((row, y) =>
    row.flatMap((isDark, x) => (isDark ? `M${x} ${y}h1v1h-1z` : [])),
  )
  return (
    <svg
      className="qr"
      role="img"
      aria-label={`QR code of ${text}`}
      viewBox={`0 0 ${rows.length} ${rows.length}`}
      shapeRendering="crispEdges"
    >
      <rect width="100%" height="100%" fill="#fff" />
      <path d={dark.join('')} fill="#000" />
    </svg>
  )
}
