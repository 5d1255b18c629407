/** A shell for which to quote: `POSIX` for sh, bash, zsh and others, and `PowerShell` on Windows. */
export type Shell = 'POSIX' | 'PowerShell'

/** Returns the shell of a platform, as `process.platform` and `navigator.platform` name it. */
export function shellOn(platform: string): Shell {
  return /^win/i.test(platform) ? 'PowerShell' : 'POSIX'
}

/** Quotes an argument so that a program receives it unchanged. A POSIX shell cannot pass NUL. */
export function quote(argument: string, shell: Shell): string {
  return shell === 'POSIX' ? quoteForPosix(argument) : quoteForPowerShell(argument)
}

function quoteForPosix(argument: string): string {
  if (/^[\w@%+:,./-]+$/.test(argument)) return argument
  return `'${argument.replaceAll("'", String.raw`'\''`)}'`
}

/**
 * Follows the documentation of PowerShell and of the C runtime. Unlike those for POSIX, these rules have not been measured.
 *
 * Double quotes also work in cmd, so they are used as long as nothing in them is special for PowerShell. For the rest, single
 * quotes are safe in every version, but a double quote arrives whole only with Windows PowerShell 5.1 and PowerShell up to
 * 7.2, which do not escape it for the program. From 7.3 on, PowerShell escapes it as well, so that the program receives a
 * backslash too many.
 */
function quoteForPowerShell(argument: string): string {
  if (/^[\w:./-]+$/.test(argument)) return argument
  if (/^[ -~]+$/.test(argument) && !/["$`\\]/.test(argument)) return `"${argument}"`
  // The C runtime takes a backslash literally, except before a double quote.
  const escaped = argument
    .replace(/(\\*)"/g, String.raw`$1$1\"`)
    .replace(/\\+$/, (end) => (/\s/.test(argument) ? end + end : end))
  // PowerShell accepts typographic quotation marks in place of the ASCII ones.
  return `'${escaped.replace(/['‘’‚‛]/g, '$&$&')}'`
}
