import type { ExternalTool } from './external-tool.ts'
import { apt, onPath } from './system.ts'

/** The real Redis of lesson 9. */
export const redisServer: ExternalTool = {
  name: 'redis-server',
  for: 'lesson 9',
  find: () => onPath('redis-server'),
  versionArgs: ['--version'],
  install: () => apt('redis-server'),
  advice: () =>
    onPath('apt-get')
      ? 'To install it, type:\n\n  sudo apt-get install --no-install-recommends redis-server'
      : "To install it, use your system's package redis.",
}
