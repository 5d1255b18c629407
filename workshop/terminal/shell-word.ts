import process from 'node:process'

/** Quotes a text, if necessary, so that a shell takes it as one argument. */
export function shellWord(text: string): string {
  if (/^[\w./\\:-]+$/.test(text)) return text
  return process.platform === 'win32' ? `"${text}"` : `'${text.replaceAll("'", `'\\''`)}'`
}
