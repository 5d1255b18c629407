import { relative } from 'node:path'
import launch from 'launch-editor'
import guess from 'launch-editor/guess.js'
import { ROOT } from '../root.ts'
import type { Answer } from '../../protocol/page.ts'

/**
 * Opens a file in the editor that is running, or that EDITOR names.
 *
 * @param file its whole path
 */
export async function openInEditor(file: string, line: number): Promise<Answer> {
  const shown = relative(ROOT, file)
  const [editor] = guess()
  if (!editor) {
    return { problem: `No editor was found. Open ${shown} in yours; EDITOR=… names it.` }
  }
  // It would fight with the workshop for the keyboard.
  if (/^(n?vim?|nano|emacs|micro|helix|hx|kak)$/.test(editor)) {
    return { problem: `Your editor (${editor}) needs a terminal of its own. Open ${shown} there.` }
  }
  return new Promise((resolve) => {
    launch(`${file}:${line}`, editor, (_file, problem) => {
      const why = problem ? `: ${problem.replace(/\.+$/, '')}` : ''
      resolve({ problem: `${editor} could not open ${shown}${why}.` })
    })
    // An editor that is there says nothing.
    setImmediate(() => resolve({ said: `Opened ${shown} in ${editor}.` }))
  })
}
