import process from 'node:process'
import { defineConfig } from '@playwright/test'
import { findBrowser } from './workshop/tools/browser.ts'

/**
 * The features of Chromium that the tests do not need. Together, they take a third of the CPU time of react.spec.ts.
 */
const WITHOUT = [
  // The newest Chromium loads a page for the address bar of each window, and starts a spare process for the next page.
  'WebUIOmniboxPopup',
  'WebUIOmniboxAimPopup',
  'SpareRendererForSitePerProcess',
  // This list replaces Playwright's own list, so repeat the features that Playwright disables:
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
  // Run one test at a time, because each test runs its own workshop, with a server, a grader and a browser.
  workers: 1,
  forbidOnly: Boolean(process.env.CI),
  // These timeouts only end tests that hang. They are long, because everything takes longer on a busy machine.
  timeout: 600_000,
  expect: { timeout: 120_000 },
  use: {
    // With reduced motion, charts move once a second instead of with each frame, which would take half of the CPU time
    // of a page with a stream.
    reducedMotion: 'reduce',
    // Do not turn on the sandbox, which is off by default in Playwright, because with a sandbox, root could not start
    // the browser.
    launchOptions: {
      executablePath: findBrowser(),
      args: [`--disable-features=${WITHOUT.join(',')}`],
    },
  },
})
