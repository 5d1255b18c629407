/** A real program that tests or lessons need and that npm does not bring. */
export type ExternalTool = {
  /** As in a sentence: `browser`. */
  name: string
  /** What it is needed for, as in a sentence: `the tests of the page`. */
  for: string
  /** The path of its program. Nothing is started to find it. */
  find(): string | undefined
  /** What makes it print its version, and so shows that it runs. Absent where it would open a window. */
  versionArgs?: string[]
  /** What gets it without a password, one after the other. Undefined when nothing does on this machine. */
  install?(): Command[] | undefined
  /** What a person can do to get it: the line to type. */
  advice(): string
}

/** Runs in the workshop's folder. */
export type Command = { program: string; args: string[] }
