/** Divides the pairs among lessons. Lesson 9 gets a quarter of a share, because a grading starts many processes. */
export function sharesOf(pairs: number, lessons: readonly number[]): Map<number, number> {
  const shares = new Map<number, number>()
  let left = pairs
  let weights = lessons.reduce((sum, lesson) => sum + weightOf(lesson), 0)
  for (const lesson of lessons) {
    const share = Math.round((left * weightOf(lesson)) / weights)
    shares.set(lesson, share)
    left -= share
    weights -= weightOf(lesson)
  }
  return shares
}

function weightOf(lesson: number): number {
  return lesson === 9 ? 0.25 : 1
}
