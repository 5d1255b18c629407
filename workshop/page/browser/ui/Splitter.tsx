import type { KeyboardEvent, PointerEvent } from 'react'
import { store, useStore } from '../state/store.ts'

type Name = 'left' | 'top'

/** The shares of the page for the instructions and the checks, in percent. If undefined, the style sheet decides. */
const parts = { left: store(remembered('left')), top: store(remembered('top')) }

/** The initial shares, which are roughly those in the style sheet. */
const AT_FIRST = { left: 40, top: 38 }

/** Renders a border between two panes, which can be dragged or moved with the arrow keys. A double click resets it. */
export function Splitter({ name, label }: { name: Name; label: string }) {
  const moved = useStore(parts[name], (now) => now)
  const percent = moved ?? AT_FIRST[name]
  const isUpright = name === 'left'

  function move(to: number): void {
    parts[name].set(Math.min(75, Math.max(20, Math.round(to * 10) / 10)))
    localStorage.setItem(`part-${name}`, String(parts[name].get()))
  }

  function reset(): void {
    parts[name].set(undefined)
    localStorage.removeItem(`part-${name}`)
  }

  function drag(event: PointerEvent<HTMLDivElement>): void {
    if (!event.currentTarget.hasPointerCapture(event.pointerId)) return
    const { left, top, width, height } = event.currentTarget.parentElement!.getBoundingClientRect()
    move(
      isUpright ? ((event.clientX - left) / width) * 100 : ((event.clientY - top) / height) * 100,
    )
  }

  function press(event: KeyboardEvent): void {
    const by = { ArrowLeft: -2, ArrowUp: -2, ArrowRight: 2, ArrowDown: 2 }[event.key]
    if (by === undefined) return
    event.preventDefault()
    move(percent + by)
  }

  return (
    <div
      className={`splitter ${name}`}
      role="separator"
      aria-label={label}
      aria-orientation={isUpright ? 'vertical' : 'horizontal'}
      aria-valuenow={Math.round(percent)}
      aria-valuemin={20}
      aria-valuemax={75}
      tabIndex={0}
      title="Drag to resize, double-click to reset"
      ref={(element) => {
        const { style } = element?.parentElement ?? {}
        if (moved === undefined) style?.removeProperty(`--${name}`)
        else style?.setProperty(`--${name}`, `${moved}%`)
      }}
      onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
      onDoubleClick={reset}
      onPointerMove={drag}
      onKeyDown={press}
    />
  )
}

function remembered(name: Name): number | undefined {
  const percent = localStorage.getItem(`part-${name}`)
  return percent === null ? undefined : Number(percent)
}
