import { dirname, extname, resolve } from 'node:path'
import { parseAst } from 'vite'
import { isInside } from '../is-inside.ts'

/** What a file imports, and where it waits before it has been loaded. Lines are counted from 1. */
export type Imports = {
  /** The reason why the file may not be loaded. */
  refusal?: { line: number; why: string }
  /** The line of the first `await` outside any function. */
  topLevelAwait?: number
}

/**
 * Reads the imports of a source file. Returns undefined if the file is not JavaScript or TypeScript, or has a syntax error.
 *
 * @param folder the lesson's folder, which contains everything that the file may import by its path
 */
export function readImports(file: string, code: string, folder: string): Imports | undefined {
  const lang = LANGUAGES[extname(file)]
  if (!lang) return undefined
  let program: Node
  try {
    program = parseAst(code, { lang }) as unknown as Node
  } catch {
    // Vite reports the error, with the place.
    return undefined
  }
  const imports: Imports = {}
  const lineAt = (offset: number): number => code.slice(0, offset).split('\n').length
  visit(program, false, (node, isInFunction) => {
    const why = refusalOf(node, (path) => isInside(folder, resolve(dirname(file), path)))
    if (why) imports.refusal ??= { line: lineAt(node.start), why }
    if (!isInFunction && isAwait(node)) imports.topLevelAwait ??= lineAt(node.start)
  })
  return imports
}

/** Returns the reason why a lesson may not contain this node of the syntax tree, or undefined. */
function refusalOf(node: Node, isOwnFile: (path: string) => boolean): string | undefined {
  const { type, source, name } = node
  if (type === 'Identifier' && name === 'require') return 'a lesson uses import, not require()'
  if (type === 'MemberExpression' && (node.object as Node).type === 'MetaProperty') {
    const property = (node.property as Node).name
    if (property !== 'url') return `a lesson may not use import.meta.${String(property)}`
  }
  if (!source || node.importKind === 'type' || node.exportKind === 'type') return undefined
  const specifier = literal(source as Node)
  if (specifier === undefined) return 'import() needs the name of a module in quotes'
  if (/^\.{1,2}\//.test(specifier) ? isOwnFile(specifier) : ALLOWED.has(specifier)) return undefined
  return `a lesson may import its own files, ${LIST}, not "${specifier}"`
}

/** Returns the value of a string or of a template without expressions. */
function literal({ type, value, quasis }: Node): string | undefined {
  if (type === 'Literal' && typeof value === 'string') return value
  const [only, ...others] = (quasis as { value: { cooked: string } }[] | undefined) ?? []
  return type === 'TemplateLiteral' && others.length === 0 ? only?.value.cooked : undefined
}

const PACKAGES = ['compression', 'eventsource', 'express', 'react', 'redis']
const BUILTINS = [
  ...[
    'assert',
    'buffer',
    'crypto',
    'events',
    'http',
    'path',
    'querystring',
    'stream',
    'stream/promises',
  ],
  ...['stream/web', 'string_decoder', 'timers', 'timers/promises', 'url', 'util', 'zlib'],
]
const ALLOWED = new Set([
  '#feed',
  ...PACKAGES,
  ...BUILTINS,
  ...BUILTINS.map((name) => `node:${name}`),
])

const LIST = `"#feed", ${PACKAGES.join(', ')} and what lessons need of Node`

function isAwait({ type, await: isForAwait }: Node): boolean {
  return type === 'AwaitExpression' || (type === 'ForOfStatement' && isForAwait === true)
}

/** Calls `look` with each node of the syntax tree, except the names of properties. */
function visit(
  node: Node,
  isInFunction: boolean,
  look: (node: Node, isInFunction: boolean) => void,
): void {
  look(node, isInFunction)
  const isFunction = /Function|^MethodDefinition$|^PropertyDefinition$/.test(node.type)
  for (const [key, child] of Object.entries(node)) {
    const isName = (key === 'property' && node.type === 'MemberExpression') || key === 'key'
    if (isName && !node.computed) continue
    for (const each of Array.isArray(child) ? child : [child]) {
      if (isNode(each)) visit(each, isInFunction || isFunction, look)
    }
  }
}

function isNode(value: unknown): value is Node {
  return typeof (value as Node | null)?.type === 'string'
}

type Node = { type: string; start: number; [key: string]: unknown }

const LANGUAGES: Record<string, 'ts' | 'tsx' | 'js' | 'jsx'> = {
  ...{ '.ts': 'ts', '.mts': 'ts', '.cts': 'ts', '.tsx': 'tsx' },
  ...{ '.js': 'js', '.mjs': 'js', '.cjs': 'js', '.jsx': 'jsx' },
}
