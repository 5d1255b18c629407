import type { Bundle } from '../http/build.ts'

/** The bundle that a browser loads for the lesson page. */
export const lessonPage: Bundle = {
  name: 'page',
  config: 'workshop/page/vite.config.ts',
  sources: [
    'protocol',
    'solutions/06-resume',
    'wire',
    'workshop/experiment',
    'workshop/page/browser',
    'workshop/verdict',
    'workshop/lessons/task-of.ts',
  ],
}
