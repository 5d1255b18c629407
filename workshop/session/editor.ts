import { relative } from 'node:path'
import launch from 'launch-editor'
import guess from 'launch-editor/guess.js'
import { ROOT } from '../root.ts'
import type { Answer } from '../../protocol/page.ts'

/**
 * Opens a file in the running editor, or in the editor that EDITOR names.
 *
 * @param file the absolute path
 */
export async function openInEditor(file: string, line: number): Promise<Answer> {
  const shown = relative(ROOT, file)
  const [editor] = guess()
  if (!editor) {
    return { problem: `No editor was found. Open ${shown} yourself, or set EDITOR.` }
  }
  // An editor in the terminal would compete with the workshop for the keyboard.
  if (/^(n?vim?|nano|emacs|micro|helix|hx|kak)$/.test(editor)) {
    return { problem: `Your editor (${editor}) needs its own terminal. Open ${shown} there.` }
  }
  return new Promise((resolve) => {
    launch(`${file}:${line}`, editor, (_file, problem) => {
      const why = problem ? `: ${problem.replace(/\.+$/, '')}` : ''
      resolve({ problem: `${editor} could not open ${shown}${why}.` })
    })
    // The callback is called only if the editor does not start, so report success right away.
    setImmediate(() => resolve({ said: `Opened ${shown} in ${editor}.` }))
  })
}
