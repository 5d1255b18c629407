import process from 'node:process'

/** A text as one word of a command line. A path may be made of what a shell takes for a command. */
export function shellWord(text: string): string {
  if (/^[\w./\\:-]+$/.test(text)) return text
  return process.platform === 'win32' ? `"${text}"` : `'${text.replaceAll("'", `'\\''`)}'`
}
