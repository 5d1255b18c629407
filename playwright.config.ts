import process from 'node:process'
import { defineConfig } from '@playwright/test'
import { findBrowser } from './workshop/tools/browser.ts'

/** What the tests have no use for: a third of the CPU time of react.spec.ts. */
const WITHOUT = [
  // A page under the address bar of each window, and a process for a page that may come: of the newest Chromium.
  'WebUIOmniboxPopup',
  'WebUIOmniboxAimPopup',
  'SpareRendererForSitePerProcess',
  // Playwright has a list of its own, which this one replaces. Of that:
  'AvoidUnnecessaryBeforeUnloadCheckSync',
  'DestroyProfileOnBrowserClose',
  'HttpsUpgrades',
  'PaintHolding',
  'ThirdPartyStoragePartitioning',
]

export default defineConfig({
  testDir: 'test/browser',
  testMatch: '*.spec.ts',
  outputDir: '.workshop/browser-tests',
  // Each test runs a workshop of its own, with a server, a grader and a browser: that is enough at a time.
  workers: 1,
  forbidOnly: Boolean(process.env.CI),
  // They end what hangs. On a busy machine everything takes longer, and nothing else is wrong with it.
  timeout: 600_000,
  expect: { timeout: 120_000 },
  use: {
    // Charts then move once a second instead of with each frame, which takes half of what a page with a stream takes.
    reducedMotion: 'reduce',
    // Without a sandbox, which Playwright leaves out by itself: root could not start the browser with one.
    launchOptions: {
      executablePath: findBrowser(),
      args: [`--disable-features=${WITHOUT.join(',')}`],
    },
  },
})
