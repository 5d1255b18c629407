import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'
import { ROOT } from '../workshop/root.ts'

// What a reviewer should not have to look for. What a learner writes in lessons/ is nobody's business here.

// What a browser runs knows other types than what Node runs.
test.each(['tsconfig.json', 'tsconfig.browser.json'])('the types are right: %s', async (config) => {
  expect(await complaints('typescript/bin/tsc', '-p', config)).toBe('')
})

test('the linter finds nothing', async () => {
  expect(await complaints('oxlint/bin/oxlint')).toBe('')
})

test('the code is formatted: npm run format', async () => {
  expect(await complaints('oxfmt/bin/oxfmt', '--check', '.', '!lessons/**')).toBe('')
})

test('no file, export or dependency is left over', async () => {
  expect(await complaints('knip/bin/knip.js', '--no-progress')).toBe('')
})

/** What a tool prints when it is not content; nothing when it is. */
async function complaints(tool: string, ...words: string[]): Promise<string> {
  const args = [join(ROOT, 'node_modules', tool), ...words]
  return promisify(execFile)(process.execPath, args, { cwd: ROOT }).then(
    () => '',
    ({ stdout, stderr }: { stdout: string; stderr: string }) => `${stdout}${stderr}`,
  )
}
