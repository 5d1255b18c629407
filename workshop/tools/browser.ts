import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { homedir } from 'node:os'
import { join } from 'node:path'
import process from 'node:process'
import { apt, onPath } from './system.ts'
import type { Command, ExternalTool } from './external-tool.ts'

/** Chromium, or a browser that is made of it: the page is tested in a real one. */
export const browser: ExternalTool = {
  name: 'browser',
  for: 'the tests of the page',
  find: findBrowser,
  // On Windows they open a window when they are asked.
  ...(process.platform !== 'win32' && { versionArgs: ['--version'] }),
  install() {
    // What the reader has chosen stays chosen, whatever is installed beside it.
    return process.env.BROWSER_PATH ? undefined : (apt('chromium') ?? [download])
  },
  advice() {
    if (process.env.BROWSER_PATH) {
      return 'BROWSER_PATH says where it is. Correct it, or leave it out: then one is found or installed.'
    }
    // The libraries that the browser needs come with it, where Playwright knows how: it asks for the password.
    const withDeps = onPath('apt-get') ? ' --with-deps' : ''
    return (
      'To get it, type:\n\n' +
      `  npx playwright install${withDeps} chromium\n\n` +
      'If you have one already, say where: BROWSER_PATH=/path/to/chromium npm run setup'
    )
  },
}

/**
 * The path of a browser: what BROWSER_PATH says, there or not; the one that Playwright has downloaded; one on
 * the PATH; one where its installer puts it.
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
    // Loaded here, for it takes its time and is needed for nothing else.
    const { chromium } = createRequire(import.meta.url)(
      '@playwright/test',
    ) as typeof import('@playwright/test')
    const path = chromium.executablePath()
    return existsSync(path) ? path : undefined
  } catch {
    // It has none for this system.
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
