import type { ComponentPropsWithoutRef } from 'react'
import Markdown, { type Components, type ExtraProps } from 'react-markdown'
import rehypeHighlight from 'rehype-highlight'
import remarkGfm from 'remark-gfm'
import { VisibleText } from '../../page/browser/ui/VisibleText.tsx'
import { Countdown } from './Countdown.tsx'
import { JoinCode } from './JoinCode.tsx'
import { Wire } from './Wire.tsx'

/** The Markdown of a slide. */
export function SlideText({ text }: { text: string }) {
  return (
    <Markdown
      remarkPlugins={[remarkGfm]}
      rehypePlugins={[
        [rehypeHighlight, { plainText: ['wire', 'countdown', 'join', 'http', 'text'] }],
      ]}
      components={COMPONENTS}
    >
      {text}
    </Markdown>
  )
}

const COMPONENTS: Components = {
  pre: Listing,
  // A column of numbers has no head.
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
      // A file of the workshop: it is read in an editor, or on a code host.
      <>{children}</>
    ),
}

/** A listing, under the name of the file that it comes from; or what is called `wire`, `countdown` or `join`. */
function Listing({ node, children }: ComponentPropsWithoutRef<'pre'> & ExtraProps) {
  const code = node?.children[0]
  if (code?.type !== 'element') return <pre>{children}</pre>
  const [language = ''] = [code.properties.className]
    .flat()
    .map(String)
    .filter((name) => name !== 'hljs')
  const inside = code.children[0]?.type === 'text' ? code.children[0].value.trim() : ''
  if (language === 'language-wire') return <Wire name={inside} />
  if (language === 'language-countdown') return <Countdown minutes={Number.parseFloat(inside)} />
  if (language === 'language-join') return <JoinCode />
  return (
    <figure className="listing">
      {code.data?.meta && <figcaption>{code.data.meta}</figcaption>}
      <pre>{children}</pre>
    </figure>
  )
}
