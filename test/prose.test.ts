import { readdirSync, readFileSync } from 'node:fs'
import { join, sep } from 'node:path'
import { expect, test } from 'vitest'
import { parseSync } from 'vite'
import { ROOT } from '../workshop/root.ts'

// Finds some phrases that are not English in the texts that people read: Markdown, comments, and the titles and messages of
// checks. A text without a finding can still be hard to read.

/** What to find, and what to write instead. */
const PHRASES: [phrase: RegExp, instead: string][] = [
  [/\bbehind\b/i, 'after; or in front of, between, on the other side of'],
  [/(?<!\bthere (?:\w+ )?)\b(?:is|are|was|were|be) (?:no|none(?! of))\b/i, 'is not a …'],
  [/\b(?:anew|afresh)\b/i, 'again; starts over'],
  [/\balso (?:when|where|while|if|after|before|behind|between|those)\b/i, 'even if; and when'],
  [/(?:^|[.:;(] )who(?:ever)? (?![^.]*\?)/i, 'a noun: a client that …, people who …'],
  [/\bwhoever\b|\b(?:for|to|of|by|than) who\b/i, 'a noun: for people who …'],
  [/(?:^|[.:;(] )what (?:is|was|has|had|comes|came|cannot|may|it)\b(?![^.]*\?)/i, 'a noun'],
  [/\b(?:is|are|was|were|be|been) given up\b(?! on)/i, 'the server gives up on it'],
  [
    /\b(?:the|an?|its|without) (?:event (?:end|gap)|fields? (?:data|event|id|retry))\b/i,
    'the event named "end"; the "data" field',
  ],
  [/\bone an? (?:line|second)\b/i, 'one per line'],
  [/\bfor ever\b/i, 'forever; indefinitely'],
  [/\btakes? long\b/i, 'takes a while'],
  [/\b(?:comes?|came|becomes?|became) of\b/i, 'happens to; results from'],
  [/\bstands? (?:behind|before|between|in|there)\b/i, 'is'],
  [/\btells (?:whether|when|how|why|what|which|where)\b/i, 'tells you whether; says whether'],
]

/** Phrases that are English, although they look like one of those. */
const IDIOMS = [
  // A verdict of lesson 4, in its table.
  /\| behind \|/,
  /\bbehind (?:an?|the|its|each|your|several|some|all|no) (?:real |buffering |company )?prox(?:y|ies)\b/i,
  /\bbehind (?:proxies|real proxies|nginx|HAProxy|Apache|Caddy|Varnish|compression)\b/i,
  /\b(?:falls?|fell|lags?) behind\b/i,
  /\b(?:leaves?|left|leaving) (?:\S+ ){0,3}behind\b/i,
  /\b(?:idea|program|reason) behind\b/i,
  // A field of lesson 8.
  /\{"behind":\d+\}/,
  /\b(?:is|are|was|were|be) no (?:longer|more|less|better|worse|faster|different)\b/i,
]

test('no text has a phrase that is not English', () => {
  expect(FILES.flatMap(findings)).toEqual([])
})

const FOLDERS = 'data docs feed lessons protocol slides solutions test wire workshop'.split(' ')

// The code in lessons/ belongs to the learner.
const FILES = ['README.md', 'CONTRIBUTING.md', ...FOLDERS.flatMap(filesIn)].filter((file) =>
  (file.startsWith('lessons/') ? /\/README\.md$/ : /\.(?:md|ts|tsx|mjs|says\.txt)$/).test(file),
)

function filesIn(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true }).map(
    (name) => `${folder}/${String(name).split(sep).join('/')}`,
  )
}

/** Returns each finding in a file, with its line and the words around it. */
function findings(file: string): string[] {
  const source = readFileSync(join(ROOT, file), 'utf8')
  return textsOf(file, source).flatMap(({ text, start }) => {
    const plain = withoutIdioms(text)
    return PHRASES.flatMap(([phrase, instead]) => {
      const found = phrase.exec(plain)
      if (!found) return []
      const around = text.slice(Math.max(found.index - 40, 0), found.index + 60)
      const line = source.slice(0, start).split('\n').length
      return [`${file}:${line} "… ${around} …" Write: ${instead}`]
    })
  })
}

type Text = { text: string; start: number }

function textsOf(file: string, source: string): Text[] {
  if (file.endsWith('.md')) return paragraphsOf(withoutFences(source))
  if (file.endsWith('.txt')) return paragraphsOf(source)
  const { comments, program } = parseSync(file, source)
  const texts = comments.map(({ value, start, end }) => ({ text: value, start, end }))
  if (/^test\/(?:lesson|harness)/.test(file))
    return [...joined(texts, source), ...messagesIn(program)].map(squashed)
  return joined(texts, source).map(squashed)
}

function paragraphsOf(source: string): Text[] {
  const parts = source.matchAll(/(?:(?!\n\s*(?:\n|[-*|>#]|\d+\.|[a-z]+:))[\s\S])+/g)
  return [...parts].map((part) =>
    squashed({ text: part[0], start: part.index + /^\s*/.exec(part[0])![0].length }),
  )
}

/** Blanks out code blocks, and keeps the line numbers. */
function withoutFences(source: string): string {
  return source.replaceAll(/^ *(`{3,})[^\n]*\n[\s\S]*?^ *\1$/gm, (block) =>
    block.replaceAll(/[^\n]/g, ' '),
  )
}

/** Joins the line comments that follow each other, because a sentence may go on in the next line. */
function joined(comments: (Text & { end: number })[], source: string): Text[] {
  const texts: (Text & { end: number })[] = []
  for (const comment of comments) {
    const last = texts.at(-1)
    if (last && /^\n\s*$/.test(source.slice(last.end, comment.start))) {
      last.text += comment.text
      last.end = comment.end
    } else texts.push({ ...comment })
  }
  return texts
}

/** Returns the titles of checks, and the strings in their `seen`, `expected`, `often` and `cause`. */
function messagesIn(node: unknown, isMessage = false): Text[] {
  if (Array.isArray(node)) return node.flatMap((each) => messagesIn(each, isMessage))
  if (typeof node !== 'object' || node === null) return []
  const { type, key, value, start, arguments: args } = node as Record<string, any>
  if (isMessage && type === 'Literal' && typeof value === 'string') return [{ text: value, start }]
  if (isMessage && type === 'TemplateLiteral') {
    const { quasis } = node as { quasis: { value: { cooked: string } }[] }
    return [{ text: quasis.map((quasi) => quasi.value.cooked).join('…'), start }]
  }
  const isCheck = type === 'CallExpression' && /^\d+\.\d+[a-z]$/.test(args[0]?.value)
  const isStory = type === 'Property' && ['seen', 'expected', 'often', 'cause'].includes(key.name)
  return [
    ...(isCheck ? messagesIn(args[1], true) : []),
    ...Object.values(node).flatMap((child) => messagesIn(child, isMessage || isStory)),
  ]
}

/** Replaces inline code and names of mistakes, removes the asterisks of a comment, and joins its lines. */
function squashed({ text, start }: Text): Text {
  const plain = text
    .replaceAll(/^\s*(?:\*|>|[-*] |\d+\. )+/gm, '')
    .replaceAll(/`[^`]*`|\]\([^)]*\)|\b\w+(?:-\w+){2,}\b/g, '`x`')
    .replaceAll(/\s+/g, ' ')
  return { text: plain.trim(), start }
}

/** Keeps the length of the text, so that a finding is at the same place in it. */
function withoutIdioms(text: string): string {
  return IDIOMS.reduce(
    (left, idiom) => left.replaceAll(new RegExp(idiom, 'gi'), (found) => '·'.repeat(found.length)),
    text,
  )
}
