declare module 'launch-editor/guess.js' {
  /** The editor that is running, or that LAUNCH_EDITOR, VISUAL or EDITOR names, with its arguments. */
  export default function guess(): [editor: string | null, ...args: string[]]
}
