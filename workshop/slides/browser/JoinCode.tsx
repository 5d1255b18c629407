import { useDeck } from './deck-context.ts'

/** Where the room can follow, when it is let in. */
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
