import type { HTMLAttributes } from 'react'
import Markdown, { type Components, type ExtraProps } from 'react-markdown'
import rehypeHighlight from 'rehype-highlight'
import remarkGfm from 'remark-gfm'
import { SpaceTimePicture } from '../../page/browser/ui/SpaceTimePicture.tsx'
import { VisibleText } from '../../page/browser/ui/VisibleText.tsx'
import { Marks } from '../../page/browser/wire/Legend.tsx'
import { Countdown } from './Countdown.tsx'
import { Hops } from './Hops.tsx'
import { JoinCode } from './JoinCode.tsx'
import { captionOf, rehypeMarkedLines } from './marked-lines.ts'
import { rehypeSteps } from './steps.ts'
import { TwoTerminals } from './TwoTerminals.tsx'
import { Wire } from './Wire.tsx'

/**
 * Renders the Markdown of a slide.
 *
 * @param isStepwise whether the blocks appear one after the other
 */
export function SlideText({ text, isStepwise = false }: { text: string; isStepwise?: boolean }) {
  return (
    <Markdown
      remarkPlugins={[remarkGfm]}
      rehypePlugins={[() => highlight, rehypeMarkedLines, ...(isStepwise ? [rehypeSteps] : [])]}
      components={COMPONENTS}
    >
      {text}
    </Markdown>
  )
}

/** The blocks that are not code. */
const PLAIN = [
  'wire',
  'countdown',
  'hops',
  'http',
  'join',
  'legend',
  'space-time',
  'terminals',
  'text',
]

/** Highlights code. All slides share it, because it knows many languages, which takes longer to prepare than a slide. */
const highlight = rehypeHighlight({ plainText: PLAIN })

const COMPONENTS: Components = {
  pre: Listing,
  // An empty header cell, such as the cell above row labels, must not be a `th`.
  th: ({ children }) => (children ? <th>{children}</th> : <td />),
  code: ({ children, className }) => (
    <code className={className}>
      {typeof children === 'string' ? <VisibleText text={children} /> : children}
    </code>
  ),
  a: ({ href = '', children }) =>
    /^(https?:|#)/.test(href) ? (
      <a href={href} {...(!href.startsWith('#') && { target: '_blank', rel: 'noreferrer' })}>
        {children}
      </a>
    ) : (
      // Show a link to one of the workshop's files as text, because people read files in an editor or on a code host.
      <>{children}</>
    ),
}

/** Renders a code block, with the name of its file, if any. Blocks with certain names become components. */
function Listing({
  node,
  className = '',
  children,
  ...step
}: HTMLAttributes<HTMLElement> & ExtraProps) {
  const code = node?.children[0]
  if (code?.type !== 'element') return <pre>{children}</pre>
  const [language = ''] = [code.properties.className]
    .flat()
    .map(String)
    .filter((name) => name !== 'hljs')
  const inside = code.children[0]?.type === 'text' ? code.children[0].value.trim() : ''
  const { file } = captionOf(code)
  if (language === 'language-wire') return <Wire name={inside} isGuess={file === 'guess'} />
  if (language === 'language-countdown') return <Countdown minutes={Number.parseFloat(inside)} />
  if (language === 'language-join') return <JoinCode />
  if (language === 'language-legend') return <Marks />
  if (language === 'language-terminals') return <TwoTerminals name={inside} />
  if (language === 'language-hops') {
    return (
      <div className={className} {...step}>
        <Hops text={inside} />
      </div>
    )
  }
  if (language === 'language-space-time') {
    const { parties, events } = JSON.parse(inside)
    return <SpaceTimePicture parties={parties} before={events} yours={[]} reference={[]} />
  }
  return (
    <figure className={`listing ${className}`} {...step}>
      {file && <figcaption>{file}</figcaption>}
      <pre>{children}</pre>
    </figure>
  )
}
