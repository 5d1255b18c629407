import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { apt, onPath } from './system.ts'
import type { Command, ExternalTool } from './external-tool.ts'

/** Chromium, or a browser that is based on it, for the tests of the page. */
export const browser: ExternalTool = {
  name: 'browser',
  for: 'the tests of the page',
  find: findBrowser,
  // On Windows, a browser would open a window when asked for its version.
  ...(process.platform !== 'win32' && { versionArgs: ['--version'] }),
  install() {
    // If BROWSER_PATH is set, installing another browser would not change which one is used.
    return process.env.BROWSER_PATH ? undefined : (apt('chromium') ?? [download])
  },
  advice() {
    if (process.env.BROWSER_PATH) {
      return 'BROWSER_PATH names the browser. Correct it, or leave it out, so that a browser is found or installed.'
    }
    // On Debian, Playwright can also install the libraries that the browser needs. In that case, it asks for the user's
    // password.
    const withDeps = onPath('apt-get') ? ' --with-deps' : ''
    return (
      'To install a browser, type:\n\n' +
      `  npx playwright install${withDeps} chromium\n\n` +
      'If you already have a browser, name its path: BROWSER_PATH=/path/to/chromium npm run setup'
    )
  },
}

/**
 * Returns the path of a browser. Tries, in this order: BROWSER_PATH, whether or not it exists; the browser that Playwright
 * has downloaded; the PATH; and the places where installers usually put browsers.
 */
export function findBrowser(): string | undefined {
  const { BROWSER_PATH } = process.env
  if (BROWSER_PATH) return BROWSER_PATH
  return (
    downloaded() ??
    ['chromium', 'google-chrome', 'chromium-browser']
      .map(onPath)
      .find((path) => path !== undefined) ??
    usualPlaces().find((path) => existsSync(path))
  )
}

const download: Command = {
  program: process.execPath,
  args: ['node_modules/@playwright/test/cli.js', 'install', '--no-shell', 'chromium'],
}

function downloaded(): string | undefined {
  try {
    // Load Playwright only here, because it is slow to load and nothing else needs it.
    const { chromium } = createRequire(import.meta.url)(
      '@playwright/test',
    ) as typeof import('@playwright/test')
    const path = chromium.executablePath()
    return existsSync(path) ? path : undefined
  } catch {
    // Playwright has no browser for this system.
    return undefined
  }
}

function usualPlaces(): string[] {
  if (process.platform === 'darwin') {
    return ['/Applications', join(homedir(), 'Applications')].flatMap((folder) =>
      ['Google Chrome', 'Chromium', 'Microsoft Edge'].map((name) =>
        join(folder, `${name}.app`, 'Contents', 'MacOS', name),
      ),
    )
  }
  if (process.platform === 'win32') {
    return ['PROGRAMFILES', 'PROGRAMFILES(X86)', 'LOCALAPPDATA'].flatMap((variable) => {
      const folder = process.env[variable]
      if (!folder) return []
      return [
        join(folder, 'Google', 'Chrome', 'Application', 'chrome.exe'),
        join(folder, 'Chromium', 'Application', 'chrome.exe'),
        join(folder, 'Microsoft', 'Edge', 'Application', 'msedge.exe'),
      ]
    })
  }
  return []
}
