declare module 'launch-editor/guess.js' {
  /** Returns the running editor, or the one that LAUNCH_EDITOR, VISUAL or EDITOR names, and its arguments. */
  export default function guess(): [editor: string | null, ...args: string[]]
}
