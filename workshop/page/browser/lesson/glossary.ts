/** The parts of an HTML tree that the glossary looks at. */
type Node = {
  type: string
  value?: string
  tagName?: string
  properties?: Record<string, unknown>
  children?: Node[]
}

/**
 * Returns a rehype plugin that marks each term of a README's box "Words" where a task first mentions it. A mark is a
 * `<dfn>` with the meaning in `data-meaning`.
 */
export function markTerms() {
  return (root: Node): void => {
    const glossary = glossaryOf(root)
    let unmarked: Term[] = []
    for (const node of root.children ?? []) {
      if (node.tagName === 'h2') unmarked = []
      else if (node.tagName === 'h3') unmarked = [...glossary]
      else if (unmarked.length > 0) markIn(node, unmarked)
    }
  }
}

type Term = { pattern: RegExp; meaning: string }

/** Reads the glossary. An item may explain several terms, which are all bold. */
function glossaryOf(root: Node): Term[] {
  const box = root.children?.find(
    ({ tagName, children = [] }) =>
      tagName === 'details' &&
      children.some((child) => child.tagName === 'summary' && textOf(child).trim() === 'Words'),
  )
  return elementsIn(box, 'li').flatMap((item) => {
    const text = textOf(item).trim().replaceAll(/\s+/g, ' ')
    const terms = elementsIn(item, 'strong').map(textOf)
    // "Wire: the bytes …" explains one term, so the tooltip need not repeat it.
    const meaning = text.startsWith(`${terms[0]}: `) ? text.slice(terms[0]!.length + 2) : text
    return terms.map((term) => ({ pattern: patternOf(term), meaning }))
  })
}

/**
 * Matches a term as a whole word, capitalised or not, in the singular or plural. A line feed is not a feed, and the event
 * loop has nothing to do with an event.
 */
function patternOf(term: string): RegExp {
  const [first = '', ...rest] = term.replaceAll(/[^\w ]/g, '\\$&')
  const others = rest.join('').replace(/y$/, '(?:y|ie)')
  const word = `[${first.toLowerCase()}${first.toUpperCase()}]${others}s?`
  return new RegExp(`(?<![\\w-]|\\bline )${word}(?![\\w-]| loop\\b)`)
}

/** Marks the first mention of each term in a node, and removes these terms from the list. */
function markIn(node: Node, unmarked: Term[]): void {
  if (NOT_PROSE.includes(node.tagName ?? '')) return
  node.children = node.children?.flatMap((child) => {
    if (child.type !== 'text') {
      markIn(child, unmarked)
      return [child]
    }
    return markedText(child.value ?? '', unmarked)
  })
}

/**
 * Elements in which no term is marked, because a mark can have the focus and must not be part of code or inside
 * another such element.
 */
const NOT_PROSE = ['a', 'button', 'code', 'pre', 'summary']

function markedText(text: string, unmarked: Term[]): Node[] {
  const [first] = unmarked
    .flatMap((term) => {
      const match = term.pattern.exec(text)
      return match ? [{ term, at: match.index, word: match[0] }] : []
    })
    .toSorted((one, other) => one.at - other.at)
  if (!first) return [{ type: 'text', value: text }]
  const { term, at, word } = first
  unmarked.splice(unmarked.indexOf(term), 1)
  return [
    { type: 'text', value: text.slice(0, at) },
    {
      type: 'element',
      tagName: 'dfn',
      properties: { dataMeaning: term.meaning },
      children: [{ type: 'text', value: word }],
    },
    ...markedText(text.slice(at + word.length), unmarked),
  ]
}

function elementsIn(node: Node | undefined, name: string): Node[] {
  return (node?.children ?? []).flatMap((child) => [
    ...(child.tagName === name ? [child] : []),
    ...elementsIn(child, name),
  ])
}

function textOf(node: Node): string {
  return node.value ?? (node.children ?? []).map(textOf).join('')
}
