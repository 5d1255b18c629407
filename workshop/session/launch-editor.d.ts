declare module 'launch-editor/guess.js' {
  /** Returns the running editor, or the editor that LAUNCH_EDITOR, VISUAL or EDITOR names, with its arguments. */
  export default function guess(): [editor: string | null, ...args: string[]]
}
