/** An `nginx.conf` without its comments. */
export function withoutComments(conf: string): string {
  return conf.replace(/(?<=^|\s)#.*$/gm, '')
}

/**
 * The value of a directive that is in force for a path: of the innermost location that nginx takes for it, or else
 * of what stands around that. Undefined where nobody says it.
 */
export function effectiveValue(conf: string, path: string, name: string): string | undefined {
  const http = parseConf(withoutComments(conf))
  const server = blocksIn(http, 'server')[0]
  const around = server ? [http, server.block, ...locationsFor(path, server.block).within] : [http]
  return around
    .map((block) =>
      block
        .find(({ args }) => args[0] === name)
        ?.args.slice(1)
        .join(' '),
    )
    .findLast((value) => value !== undefined)
}

/** A directive in its words, with the block behind it, if it has one. */
type Directive = { args: string[]; block?: Block }

type Block = Directive[]

function parseConf(conf: string): Block {
  const tokens = [...conf.matchAll(TOKEN)]
  function block(): Block {
    const all: Block = []
    let args: string[] = []
    for (let token = tokens.shift(); token; token = tokens.shift()) {
      const [text, double, single] = token
      if (text === '}') break
      if (text !== ';' && text !== '{') {
        args.push(double ?? single ?? text)
        continue
      }
      all.push({ args, ...(text === '{' && { block: block() }) })
      args = []
    }
    return all
  }
  return block()
}

/** What is in quotes, an end or a border of a block, or a word, which may have `${…}` in it. */
const TOKEN = /"((?:\\.|[^"\\])*)"|'((?:\\.|[^'\\])*)'|[{};]|(?:\$\{|(?<=\$\{\w*)\}|[^\s{};])+/g

function blocksIn(block: Block, name: string): { args: string[]; block: Block }[] {
  return block.flatMap(({ args, block: inner }) =>
    args[0] === name && inner ? [{ args, block: inner }] : [],
  )
}

/**
 * The blocks of the locations that nginx takes, from the outermost on; and whether the path itself or a pattern was
 * found among them: then no pattern around them is tried.
 *
 * @see https://nginx.org/en/docs/http/ngx_http_core_module.html#location
 */
function locationsFor(path: string, block: Block): { within: Block[]; isFinal: boolean } {
  const all = blocksIn(block, 'location').map(({ args, block: inner }) => {
    const [, how, where] = HOW_AND_WHERE.exec(args.slice(1).join(''))!
    return { how: how!, where: where!, block: inner }
  })
  const same = all.find(({ how, where }) => how === '=' && where === path)
  if (same) return { within: [same.block], isFinal: true }

  const [longest] = all
    .filter(({ how, where }) => (how === '' || how === '^~') && path.startsWith(where))
    .sort((a, b) => b.where.length - a.where.length)
  const inLongest = longest && locationsFor(path, longest.block)
  const taken = { within: longest ? [longest.block, ...inLongest!.within] : [], isFinal: false }
  if (inLongest?.isFinal) return { ...taken, isFinal: true }
  if (longest?.how === '^~') return taken

  const pattern = all.find(({ how, where }) => how.startsWith('~') && matches(path, where, how))
  if (!pattern) return taken
  return { within: [pattern.block, ...locationsFor(path, pattern.block).within], isFinal: true }
}

/** `(?i)` is how PCRE writes what `~*` says. What else it has and JavaScript has not matches nothing here. */
function matches(path: string, where: string, how: string): boolean {
  const pattern = where.replace(/^\(\?i\)/, '')
  try {
    return new RegExp(pattern, how === '~*' || pattern !== where ? 'i' : '').test(path)
  } catch {
    return false
  }
}

const HOW_AND_WHERE = /^(=|\^~|~\*|~|)(.*)$/s

/** As nginx reads a time: `60`, `60s`, `1m30s`, `24h`. */
export function parseSeconds(time: string): number {
  const units: Record<string, number> = {
    ms: 0.001,
    m: 60,
    h: 3600,
    d: 86_400,
    w: 604_800,
    M: 2_592_000,
    y: 31_536_000,
  }
  const parts = [...time.matchAll(/(\d+)(ms|[a-zA-Z]?)/g)]
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * (units[unit!] ?? 1), 0)
}
