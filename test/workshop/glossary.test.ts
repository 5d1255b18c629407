import { createElement } from 'react'
import { renderToStaticMarkup } from 'react-dom/server'
import Markdown from 'react-markdown'
import rehypeRaw from 'rehype-raw'
import { expect, test } from 'vitest'
import { markTerms } from '../../workshop/page/browser/lesson/glossary.ts'

test('each term is marked once in each task, where it is mentioned first', () => {
  const marks = marksIn(
    '### 1.1 One\n\nBuffers. A buffer.\n\n### 1.2 Two\n\nA wire, and a _buffer_.',
  )
  expect(marks).toEqual([
    ['Buffers', 'memory in which bytes wait.'],
    ['wire', 'the bytes.'],
    ['buffer', 'memory in which bytes wait.'],
  ])
})

test('an item may explain several terms, in the words of the whole item', () => {
  const both = 'Head and body: a response.'
  expect(marksIn('### 1.1 One\n\nThe body follows the head.')).toEqual([
    ['body', both],
    ['head', both],
  ])
  expect(marksIn('### 1.1 One\n\nTwo entries.')[0]?.[0]).toBe('entries')
})

test('code, links, summaries and parts of other words are not marked', () => {
  const details = '<details>\n<summary>wire</summary>\n\n`wire`\n\n</details>'
  expect(marksIn(`### 1.1 Wire\n\n[wire](x) wireless to-wire WIRE a line buffer\n\n${details}`)).toEqual([])
})

test('text outside of the tasks is not marked', () => {
  expect(marksIn('A wire.\n\n### 1.1 One\n\n## The wire\n\nA wire.')).toEqual([])
})

test('a README without a glossary is unchanged', () => {
  expect(render('### 1.1 One\n\nA wire.')).toBe('<h3>1.1 One</h3>\n<p>A wire.</p>')
})

const WORDS = `<details>
<summary>Words</summary>

- **Wire**: the bytes.
- **Head** and **body**: a response.
- **Buffer**: memory in which
  bytes wait.
- **Entry**: a quake.

</details>

`

function marksIn(text: string): [word: string, meaning: string][] {
  const marks = render(WORDS + text).matchAll(/<dfn data-meaning="([^"]*)">([^<]*)<\/dfn>/g)
  return [...marks].map(([, meaning, word]) => [word!, meaning!])
}

function render(text: string): string {
  const rehypePlugins = [rehypeRaw, markTerms]
  return renderToStaticMarkup(createElement(Markdown, { rehypePlugins, children: text }))
}
