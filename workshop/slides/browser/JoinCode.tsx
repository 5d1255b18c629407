import { useDeck } from './deck-context.ts'

/** If the deck is shared, shows the address and the code for followers. */
export function JoinCode() {
  const { role } = useDeck()
  if (role.role !== 'instructor' || !role.join) return null
  const { urls, code } = role.join
  return (
    <p className="join">
      Follow at{' '}
      {urls.map((url) => (
        <strong key={url}>{url} </strong>
      ))}
      with the code <strong>{code}</strong>
    </p>
  )
}
