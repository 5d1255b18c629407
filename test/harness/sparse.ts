/** Whether checks that try everything try some of it: for a first look, see `workshop/grader/warm.ts`. */
export const IS_SPARSE = Boolean(process.env.WORKSHOP_SPARSE)
