/** Whether a promise was kept or broken, in words. */
export function outcomeOf<Kept extends string = 'ended'>(
  promise: Promise<unknown>,
  kept = 'ended' as Kept,
): Promise<Kept | 'threw'> {
  return promise.then(
    () => kept,
    () => 'threw',
  )
}
