import type { KeyboardEvent, PointerEvent } from 'react'
import { store, useStore } from './store.ts'

type Name = 'left' | 'top'

/** How much of the page the instructions and the checks take, in percent. */
const parts = {
  left: store(Number(localStorage.getItem('part-left') ?? 40)),
  top: store(Number(localStorage.getItem('part-top') ?? 38)),
}

/** A border to drag, or to move with the arrow keys. */
export function Splitter({ name, label }: { name: Name; label: string }) {
  const percent = useStore(parts[name], (now) => now)
  const isUpright = name === 'left'

  function move(to: number): void {
    parts[name].set(Math.min(75, Math.max(20, Math.round(to * 10) / 10)))
    localStorage.setItem(`part-${name}`, String(parts[name].get()))
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
      ref={(element) => element?.parentElement?.style.setProperty(`--${name}`, `${percent}%`)}
      onPointerDown={(event) => event.currentTarget.setPointerCapture(event.pointerId)}
      onPointerMove={drag}
      onKeyDown={press}
    />
  )
}
