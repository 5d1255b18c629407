import type { ExtraProps } from 'react-markdown'

type Element = NonNullable<ExtraProps['node']>
type Root = { children: (Element['children'][number] | { type: 'doctype' })[] }

/**
 * Turns the blocks of a slide into steps, which appear one after the other at a click or a key. The first block after the
 * title is visible. If the slide has a wire, everything below the wire appears together with its recording.
 */
export function rehypeSteps() {
  return (tree: Root): void => {
    const blocks = tree.children.filter(isElement)
    const wire = blocks.findIndex(isWire)
    const visible = blocks.slice(0, (wire === -1 ? firstBelowTitle(blocks) : wire) + 1)
    tree.children = tree.children.map((each) =>
      isElement(each) && !visible.includes(each) ? stepOf(each, wire !== -1) : each,
    )
  }
}

function firstBelowTitle(blocks: Element[]): number {
  return blocks.findIndex(({ tagName }) => !/^h[12]$/.test(tagName))
}

function stepOf({ properties, ...block }: Element, isWithWire: boolean): Element {
  const step = { className: ['fragment'], ...(isWithWire && { dataFragmentIndex: 0 }) }
  return { ...block, properties: { ...properties, ...step } }
}

function isElement(node: Root['children'][number]): node is Element {
  return node.type === 'element'
}

function isWire({ children: [code] }: Element): boolean {
  return code?.type === 'element' && String(code.properties.className).includes('language-wire')
}
