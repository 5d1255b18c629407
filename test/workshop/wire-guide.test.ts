import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { comparisonText } from '../../workshop/hops/comparison-text.ts'
import type { Comparison } from '../../workshop/hops/comparison.ts'
import { ROOT } from '../../workshop/root.ts'

test('the guide shows what the command prints about a measured nginx; -u writes it', async () => {
  const json = readFileSync(join(ROOT, 'test/workshop/hops-nginx.json'), 'utf8')
  const printed = comparisonText(JSON.parse(json) as Comparison, { width: 80, most: 12 })
  const file = join(ROOT, 'docs/wire.md')
  const made = readFileSync(file, 'utf8').replace(
    OUTPUT,
    () => `<!-- output -->\n\n\`\`\`\n${printed}\n\`\`\`\n\n<!-- /output -->`,
  )
  expect(made).toContain(printed)
  await expect(made).toMatchFileSnapshot(file)
})

const OUTPUT = /<!-- output -->[\s\S]*?<!-- \/output -->/
