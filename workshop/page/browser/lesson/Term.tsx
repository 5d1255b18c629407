import { useEffect, useId, useState, type ReactNode } from 'react'

/**
 * Renders a word of the glossary. Shows its meaning while the pointer or the focus is on the word, until Escape is
 * pressed.
 */
export function Term({ meaning, children }: { meaning: string; children?: ReactNode }) {
  const [isOpen, setOpen] = useState(false)
  const id = useId()
  useEffect(() => {
    if (!isOpen) return undefined
    const close = ({ key }: KeyboardEvent): void => {
      if (key === 'Escape') setOpen(false)
    }
    document.addEventListener('keydown', close)
    return () => document.removeEventListener('keydown', close)
  }, [isOpen])
  return (
    <span
      className="term"
      onMouseEnter={() => setOpen(true)}
      onMouseLeave={() => setOpen(false)}
      onFocus={() => setOpen(true)}
      onBlur={() => setOpen(false)}
    >
      <dfn tabIndex={0} aria-describedby={id}>
        {children}
      </dfn>
      <span role="tooltip" id={id} hidden={!isOpen}>
        {meaning}
      </span>
    </span>
  )
}
