/** A directive of an nginx.conf, with its words unquoted: `proxy_pass http://$tremor;`. */
export type Directive = {
  name: string
  args: string[]
  /** The directives in braces, if there are braces. */
  block?: Directive[]
  /** The line of the name, and the line of the semicolon or the opening brace. */
  line: number
  endLine: number
}

/** Thrown if a file does not follow nginx's syntax. The message is the one that nginx would print. */
export class ConfError extends Error {}

/** Parses a configuration as nginx does. */
export function parseConf(text: string): Directive[] {
  const top: Directive[] = []
  const open: Directive[] = []
  let words: Word[] = []
  let line = 1
  for (const token of tokensOf(text)) {
    line = token.line
    if ('word' in token) {
      words.push(token)
      continue
    }
    const { mark } = token
    if (mark === '}') {
      if (words.length > 0 || !open.pop()) throw unexpected('"}"', line)
      continue
    }
    const [first, ...rest] = words
    if (!first || (mark === '{' && open.length === DEEPEST)) throw unexpected(`"${mark}"`, line)
    const directive: Directive = {
      name: first.word,
      args: rest.map(({ word }) => word),
      ...(mark === '{' && { block: [] }),
      line: first.line,
      endLine: line,
    }
    const block = open.at(-1)?.block ?? top
    block.push(directive)
    if (directive.block) open.push(directive)
    words = []
  }
  if (words.length > 0) throw unexpected('end of file, expecting ";" or "}"', line)
  if (open.length > 0) throw unexpected('end of file, expecting "}"', line)
  return top
}

/**
 * Writes directives so that nginx can only read them as they were parsed, because every word is in quotes. Each
 * directive stays on its line, so that nginx's messages name the line in the original file.
 */
export function writeConf(directives: Directive[]): string {
  let text = ''
  let line = 1
  const goTo = (next: number): void => {
    text += '\n'.repeat(Math.max(0, next - line))
    line = Math.max(line, next)
  }
  const write = ({ name, args, block, line: begin, endLine }: Directive): void => {
    goTo(begin)
    text += [name, ...args].map(quoted).join(' ')
    goTo(endLine)
    text += block ? ' {' : ';'
    if (!block) return
    block.forEach(write)
    text += '}'
  }
  directives.forEach(write)
  return text
}

/** Returns the directives and those in their blocks, each with the directive whose block contains it. */
export function* allDirectives(
  directives: Directive[],
  parent?: Directive,
): Generator<{ directive: Directive; parent: Directive | undefined }> {
  for (const directive of directives) {
    yield { directive, parent }
    yield* allDirectives(directive.block ?? [], directive)
  }
}

/** Returns a copy of the directives in which each of them, also in blocks, is replaced. */
export function mapConf(
  directives: Directive[],
  replace: (directive: Directive) => Directive,
): Directive[] {
  return directives.map((directive) => {
    const replaced = replace(directive)
    return replaced.block ? { ...replaced, block: mapConf(replaced.block, replace) } : replaced
  })
}

type Word = { word: string; line: number }
type Mark = { mark: '{' | '}' | ';'; line: number }

/** Splits a configuration into words and marks, by the rules of `ngx_conf_read_token()`. */
function* tokensOf(text: string): Generator<Word | Mark> {
  let line = 1
  for (const { 0: token, index } of text.matchAll(TOKEN)) {
    const begin = line
    line += token.split('\n').length - 1
    // nginx compares some words as C strings, which end at NUL.
    if (token.includes('\0')) throw unexpected('NUL character', begin)
    if (/^[ \t\r\n#]/.test(token)) continue
    if (token === '{' || token === '}' || token === ';') {
      yield { mark: token, line }
    } else if (token.startsWith('"') || token.startsWith("'")) {
      const next = text[index + token.length] ?? ''
      const hasEnd = token.length > 1 && token.endsWith(token[0]!)
      if (!hasEnd || next === '') throw unexpected('end of file, expecting ";" or "}"', line)
      if (!/[ \t\r\n;{)]/.test(next)) throw unexpected(`"${next}"`, line)
      yield { word: unescaped(token.slice(1, -1)), line: begin }
    } else {
      yield { word: unescaped(token), line: begin }
    }
  }
}

/**
 * White space, a comment, a mark, a word in quotes, and a word without quotes. Quotes and # have their meaning only at
 * the beginning of a word. A brace is part of a word only after a dollar sign.
 */
const TOKEN =
  /[ \t\r\n]+|#[^\n]*|[{};]|"(?:\\[^]|[^"\\])*"?|'(?:\\[^]|[^'\\])*'?|(?:\\[^]|\$\{|[^ \t\r\n{;\\])+|\\/g

function unescaped(word: string): string {
  return word.replaceAll(/\\(["'\\trn])/g, (_, char: string) => ESCAPED[char] ?? char)
}

const ESCAPED: Record<string, string> = { t: '\t', r: '\r', n: '\n' }

function quoted(word: string): string {
  const escaped = word
    .replaceAll(/["\\]/g, String.raw`\$&`)
    .replaceAll('\n', String.raw`\n`)
    .replaceAll('\r', String.raw`\r`)
  return `"${escaped}"`
}

function unexpected(what: string, line: number): ConfError {
  return new ConfError(`unexpected ${what} in nginx.conf:${line}`)
}

/** More blocks inside each other than anybody writes. */
const DEEPEST = 30
