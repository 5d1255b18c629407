/** Returns the outcome of a promise: the word in `kept` if it resolves, or `threw` if it rejects. */
export function outcomeOf<Kept extends string = 'ended'>(
  promise: Promise<unknown>,
  kept = 'ended' as Kept,
): Promise<Kept | 'threw'> {
  return promise.then(
    () => kept,
    () => 'threw',
  )
}
