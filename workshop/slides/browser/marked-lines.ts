import type { ExtraProps } from 'react-markdown'

type Element = NonNullable<ExtraProps['node']>
type Content = Element['children'][number]

/** Marks the lines of code that a block names after its file, as in `server.ts {2,3}`. */
export function rehypeMarkedLines() {
  return (tree: Pick<Element, 'children'>): void => {
    for (const pre of tree.children) {
      const code = pre.type === 'element' && pre.tagName === 'pre' ? pre.children[0] : undefined
      if (code?.type !== 'element') continue
      const { marked } = captionOf(code)
      if (marked.length === 0) continue
      code.children = linesOf(code.children).flatMap((line, index): Content[] => [
        ...(index > 0 ? [{ type: 'text' as const, value: '\n' }] : []),
        ...(marked.includes(index + 1) ? [element('mark', line)] : line),
      ])
    }
  }
}

/** Returns the file after a block's language, and the numbers of the lines to mark. */
export function captionOf(code: Element): { file: string; marked: number[] } {
  const [, file = '', lines] = /^(.*?)(?: \{([\d,]+)\})?$/.exec(code.data?.meta ?? '') ?? []
  return { file, marked: lines?.split(',').map(Number) ?? [] }
}

/** Splits highlighted code into lines. Splits each element that spans several lines as well. */
function linesOf(nodes: Content[]): Content[][] {
  const lines: Content[][] = [[]]
  for (const node of nodes) {
    const [first = [], ...rest] = partsOf(node)
    lines.at(-1)!.push(...first)
    lines.push(...rest)
  }
  return lines
}

/** Splits a node at its line ends. */
function partsOf(node: Content): Content[][] {
  if (node.type === 'text') {
    return node.value.split('\n').map((value) => (value === '' ? [] : [{ type: 'text', value }]))
  }
  if (node.type !== 'element') return [[node]]
  return linesOf(node.children).map((children) => [{ ...node, children }])
}

function element(tagName: string, children: Content[]): Element {
  return { type: 'element', tagName, properties: {}, children }
}
