import type { Bundle } from '../http/build.ts'

/** The page of a lesson, as a browser loads it. */
export const lessonPage: Bundle = {
  name: 'page',
  config: 'workshop/page/vite.config.ts',
  sources: [
    'protocol',
    'solutions/05-reconnection',
    'wire',
    'workshop/experiment',
    'workshop/page/browser',
    'workshop/verdict',
    'workshop/lessons/task-of.ts',
  ],
}
