import { expect, test } from 'vitest'
import { markTerms } from '../../workshop/page/browser/lesson/glossary.ts'

const BUFFER = 'memory in which bytes wait.'

test('each term is marked once in each task, where it is mentioned first', () => {
  const marks = marksIn(
    h('h3', '1.1 One'),
    h('p', 'Buffers. A buffer.'),
    h('h3', '1.2 Two'),
    h('p', 'A wire, and a ', h('em', 'buffer'), '.'),
  )
  expect(marks).toEqual([
    ['Buffers', BUFFER],
    ['wire', 'the bytes.'],
    ['buffer', BUFFER],
  ])
})

test('an item may explain several terms, in the words of the whole item', () => {
  const both = 'Head and body: a response.'
  expect(marksIn(h('h3', '1.1 One'), h('p', 'The body follows the head.'))).toEqual([
    ['body', both],
    ['head', both],
  ])
})

test('the plural of a term is marked as well', () => {
  expect(marksIn(h('h3', '1.1 One'), h('p', 'Two entries.'))).toEqual([['entries', 'a quake.']])
})

test('code, links, summaries, parts of other words and other meanings are not marked', () => {
  const marks = marksIn(
    h('h3', '1.1 Wire'),
    h('p', h('a', 'wire'), h('code', 'wire'), 'wireless, to-wire, WIRE, a line buffer'),
    h('details', h('summary', 'wire')),
  )
  expect(marks).toEqual([])
})

test('text outside of the tasks is not marked', () => {
  const wire = h('p', 'A wire.')
  expect(marksIn(wire, h('h3', '1.1 One'), h('h2', 'The wire'), wire)).toEqual([])
})

test('a README without a glossary is unchanged', () => {
  const root = h('root', h('h3', '1.1 One'), h('p', 'A wire.'))
  const before = structuredClone(root)
  markTerms()(root)
  expect(root).toEqual(before)
})

type Node = Parameters<ReturnType<typeof markTerms>>[0]

/** Builds an element of an HTML tree. */
function h(tagName: string, ...children: (Node | string)[]): Node {
  const nodes = children.map((child) =>
    typeof child === 'string' ? { type: 'text', value: child } : child,
  )
  return { type: 'element', tagName, children: nodes }
}

function marksIn(...nodes: Node[]): [word: unknown, meaning: unknown][] {
  const words = h(
    'ul',
    h('li', h('strong', 'Wire'), ': the bytes.'),
    h('li', h('strong', 'Head'), ' and ', h('strong', 'body'), ': a response.'),
    h('li', h('strong', 'Buffer'), ': memory in which\n  bytes wait.'),
    h('li', h('strong', 'Entry'), ': a quake.'),
  )
  const root = h('root', h('details', h('summary', 'Words'), words), ...nodes)
  markTerms()(root)
  return marksOf(root)
}

function marksOf(node: Node): [word: unknown, meaning: unknown][] {
  if (node.tagName === 'dfn') return [[node.children?.[0]?.value, node.properties?.dataMeaning]]
  return (node.children ?? []).flatMap(marksOf)
}
