import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { lessons, lessonsFolder } from '../../workshop/lessons/catalogue.ts'
import { draw } from '../../workshop/pictures/draw.ts'
import { PICTURES } from '../../workshop/pictures/pictures.ts'
import { ROOT } from '../../workshop/root.ts'

// A learner may have deleted a README.
const readmes = lessons()
  .map(({ folder }) => join(lessonsFolder, folder, 'README.md'))
  .filter((path) => existsSync(path))
  .map((path) => readFileSync(path, 'utf8'))
  .join('\n')

test.each(PICTURES)('docs/pictures/$name.svg is as it is drawn', (picture) => {
  const path = join(ROOT, 'docs/pictures', `${picture.name}.svg`)
  const drawn = readFileSync(path, 'utf8')
  expect(drawn, 'it is old: node workshop/start.mjs pictures').toBe(draw(picture))
})

test.each(PICTURES)('$name is in a README, with its title as the alternative text', (picture) => {
  const { name, title } = picture
  if (!process.env.CI && lessons().some(({ problem }) => problem)) return
  expect(readmes.split(`![${title}](../../docs/pictures/${name}.svg)`)).toHaveLength(2)
})

test('the text of a picture is escaped', () => {
  const text = { kind: 'text', at: [0, 0], text: '<b> & "c"' } as const
  const svg = draw({ name: 'x', title: 'a < b', width: 1, height: 1, shapes: [text] })
  expect(svg).toContain('<title id="title">a &lt; b</title>')
  expect(svg).toContain('>&lt;b&gt; &amp; "c"</text>')
})
