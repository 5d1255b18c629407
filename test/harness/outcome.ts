/** Returns a promise for the outcome of another promise: the word in `kept`, or `threw`. */
export function outcomeOf<Kept extends string = 'ended'>(
  promise: Promise<unknown>,
  kept = 'ended' as Kept,
): Promise<Kept | 'threw'> {
  return promise.then(
    () => kept,
    () => 'threw',
  )
}
