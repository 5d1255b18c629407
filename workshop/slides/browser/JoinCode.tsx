import { useDeck } from './deck-context.ts'

/** Shows the address and the code for followers, if the deck is shared. */
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
