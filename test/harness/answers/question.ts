/** The question of most checks. */
export const QUESTION = 'Why do earthquakes happen?'
