import { memo, useRef, type ComponentPropsWithoutRef, type ReactNode } from 'react'
import Markdown, { type Components } from 'react-markdown'
import rehypeHighlight from 'rehype-highlight'
import rehypeRaw from 'rehype-raw'
import rehypeSanitize from 'rehype-sanitize'
import remarkGfm from 'remark-gfm'
import { taskOf } from '../../../lessons/task-of.ts'
import type { LessonState } from '../../../../protocol/page.ts'
import { pageState, useIsGone, useSlice } from '../state/page-state.ts'
import { requestAction } from '../state/request-action.ts'
import { ActionButton } from '../ui/ActionButton.tsx'
import { VisibleText } from '../ui/VisibleText.tsx'
import { CheckButton } from './CheckButton.tsx'
import { markTerms } from './glossary.ts'
import { TaskLinks } from './TaskLinks.tsx'
import { Term } from './Term.tsx'

/** Shows the lesson's README, with buttons that open the files to edit. */
export function Instructions({ lesson }: { lesson: LessonState }) {
  return (
    <section className="instructions" aria-label="Instructions">
      <TaskLinks tasks={lesson.tasks} />
      <Files lesson={lesson} />
      {lesson.problem && (
        <p className="warning">
          <strong>!</strong> {lesson.problem}
        </p>
      )}
      <Readme text={lesson.readme} />
    </section>
  )
}

function Files({ lesson: { files, folder } }: { lesson: LessonState }) {
  return (
    <div className="files">
      {files.length > 0 && <span className="quiet">Open in my editor</span>}
      {files.map((file) => (
        <ActionButton
          key={file}
          action={{ do: 'open', file, line: 1 }}
          aria-label={`Open ${file} in my editor`}
        >
          {file}
        </ActionButton>
      ))}
      {files.length > 0 && <Reset folder={folder} files={files} />}
    </div>
  )
}

function Reset({ folder, files }: { folder: string; files: string[] }) {
  const dialog = useRef<HTMLDialogElement>(null)
  const isGone = useIsGone()
  return (
    <>
      <button
        type="button"
        className="plain"
        disabled={isGone}
        onClick={() => dialog.current!.showModal()}
      >
        Reset my files …
      </button>
      <dialog ref={dialog} aria-labelledby="reset-title">
        <h2 id="reset-title">Reset your files?</h2>
        <p>
          {files.join(', ')} in <code>{folder}</code> are replaced with the original stubs. Your
          work is saved first, and the page tells you where.
        </p>
        <form method="dialog">
          <button type="submit" autoFocus>
            Keep my work
          </button>
          <button type="submit" className="primary" onClick={() => requestAction({ do: 'reset' })}>
            Save my work and reset
          </button>
        </form>
      </dialog>
    </>
  )
}

/** Renders the README. Memoised, because the README is long and does not change during a grading. */
const Readme = memo(function Readme({ text }: { text: string }) {
  return (
    <div className="readme">
      <Markdown
        remarkPlugins={[remarkGfm]}
        // Sanitise the raw HTML before the page adds its own markup.
        rehypePlugins={[rehypeRaw, rehypeSanitize, markTerms, rehypeHighlight]}
        components={COMPONENTS}
      >
        {text}
      </Markdown>
    </div>
  )
})

const COMPONENTS: Components = {
  // The header of the page already shows the title.
  h1: () => null,
  img: ({ src, alt }) => <Picture src={src}>{alt}</Picture>,
  h3: ({ children }) => <Heading>{children}</Heading>,
  code: ({ children, className }) => (
    <code className={className}>
      {typeof children === 'string' ? <VisibleText text={children} /> : children}
    </code>
  ),
  dfn: ({ node, children }) => (
    <Term meaning={String(node?.properties.dataMeaning)}>{children}</Term>
  ),
  // A table may be wider than the page. When the table has the focus, the arrow keys scroll it.
  table: ({ children }) => (
    <div className="table" role="region" aria-label="Table" tabIndex={0}>
      <table>{children}</table>
    </div>
  ),
  a: ({ href, children }) => <Link href={href}>{children}</Link>,
}

/** Renders a heading. If the heading is a task's, such as `2.3 A heartbeat nobody sees`, the task's checks are next to it. */
function Heading({ children }: { children?: ReactNode }) {
  const grading = useSlice('grading')
  const task = /^\d+\.\d+(?= )/.exec(String(children))?.[0]
  if (!task) return <h3>{children}</h3>
  const checks = grading?.checks.filter(({ id }) => taskOf(id) === task) ?? []
  return (
    <div className="task" id={`task-${task}`}>
      <h3 tabIndex={-1}>{children}</h3>
      <div className="chips">
        {checks.map((check) => (
          <CheckButton key={check.id} check={check} />
        ))}
      </div>
    </div>
  )
}

/** Renders a drawn picture, which the workshop serves, because the page must not load anything from other servers. */
function Picture({ src, children: alt }: { src: string | Blob | undefined; children?: string }) {
  const name = /^\.\.\/\.\.\/docs\/pictures\/([\w-]+\.svg)$/.exec(String(src))?.[1]
  return name ? <img src={`/pictures/${name}`} alt={alt} /> : <>{alt}</>
}

/** Renders a link. One of the lesson's files opens in the editor, and an external page in a new tab. */
function Link({ href = '', children }: ComponentPropsWithoutRef<'a'>) {
  const file = href.replace(/^\.\//, '')
  if (pageState.get().lesson?.files.includes(file)) {
    return (
      <button
        type="button"
        className="link"
        onClick={() => requestAction({ do: 'open', file, line: 1 })}
      >
        {children}
      </button>
    )
  }
  if (!/^https?:/.test(href)) return <>{children}</>
  return (
    <a href={href} target="_blank" rel="noopener noreferrer">
      {children}
    </a>
  )
}
