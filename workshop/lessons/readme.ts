/** The parts of a lesson's README that the workshop uses. */
export type Readme = {
  title?: string
  minutes?: number
  tasks: Task[]
}

/** A task: `1.1`, `Send the head at once`, and its hints in Markdown, the vaguest first. */
export type Task = { id: string; title: string; hints: string[] }

/**
 * Parses the title (`# Lesson 1: Raw chunks`), the duration (`40 minutes`), and each task (`### 1.1 Title`) with its hints,
 * which are the `<details>` below the task whose summary begins with "Hint". Ignores everything else.
 */
export function readReadme(text: string): Readme {
  const readme: Readme = { tasks: [] }
  let isCode = false
  let hint: string[] | undefined
  let isHint = false

  for (const line of text.split(/\r?\n/)) {
    if (/^\s*(```|~~~)/.test(line)) isCode = !isCode
    const task = readme.tasks.at(-1)
    if (hint) {
      if (!isCode && line.trim() === '</details>') {
        if (isHint) task?.hints.push(hint.join('\n').trim())
        hint = undefined
      } else if (/^\s*<summary>.*<\/summary>\s*$/.test(line)) {
        isHint = /<summary>Hint\b/.test(line)
      } else {
        hint.push(line)
      }
      continue
    }
    // Skip code blocks, in which `# Lesson` could be a shell comment.
    if (isCode) continue
    if (line.trim() === '<details>' && task) hint = []
    const title = /^# (?:Lesson \d+: )?(.+)$/.exec(line)
    if (title && readme.title === undefined) readme.title = title[1]!.trim()
    const minutes = /^(\d+) minutes\b/.exec(line)
    if (minutes && readme.minutes === undefined) readme.minutes = Number(minutes[1])
    const heading = /^### (\d+\.\d+) (.+)$/.exec(line)
    if (heading) readme.tasks.push({ id: heading[1]!, title: heading[2]!.trim(), hints: [] })
  }
  return readme
}
