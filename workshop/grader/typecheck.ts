import { execFile } from 'node:child_process'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { legible } from '../../wire/visible.ts'
import { solutionFiles } from '../lessons/stubs.ts'
import { HAS_GROUPS } from '../process/process-group.ts'
import { startTethered } from '../process/tethered-program.ts'
import { ROOT } from '../root.ts'
import { MEMORY_MB, watchMemory } from './memory.ts'

/** Thrown if the types could not be checked. The message is a sentence that says why. */
export class TypesUnchecked extends Error {}

/**
 * Returns the type errors of one lesson's files, one per line: `01-raw-chunks/server.ts:12:5 Type 'string' …`.
 *
 * @param folder the folder in the sandbox that has the files
 * @throws TypesUnchecked if the compiler needs too much time or memory, because a few lines of types can keep it busy
 *   for hours
 */
export async function typeErrors(
  sandbox: string,
  lessonFolder: string,
  folder = lessonFolder,
  limits: { ms?: number; mb?: number } = {},
): Promise<string[]> {
  const config = join(sandbox, 'tsconfig.json')
  await writeFile(
    config,
    JSON.stringify({ extends: join(ROOT, base(lessonFolder)), include: [folder] }),
  )
  const compile = HAS_GROUPS ? compileTethered : compileAlone
  const output = await compile(['-p', config, '--pretty', 'false'], sandbox, {
    ms: LONGEST_MS,
    mb: MEMORY_MB,
    ...limits,
  })
  return [...output.matchAll(/^([^\s(].*)\((\d+),(\d+)\): error TS\d+: (.*)$/gm)].map(
    ([, file, line, column, message]) =>
      legible(`${file!.replaceAll('\\', '/')}:${line}:${column} ${message}`),
  )
}

/** The time limit. The solutions need a second. */
const LONGEST_MS = 20_000

/** How many characters of the compiler's output to keep. */
const KEPT = 500_000

type Limits = { ms: number; mb: number }

/** Runs the compiler so that it ends within the limits and together with this process. Returns its output. */
async function compileTethered(
  args: string[],
  sandbox: string,
  { ms, mb }: Limits,
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'workshop-types-'))
  const tsc = startTethered(await compiler(), args, folder, { cwd: sandbox, keeps: KEPT })
  let why: string | undefined
  const stop = (limit: string): void => {
    why ??= `The types were not checked, because that took more than ${limit}.`
    void tsc.stop()
  }
  const timer = setTimeout(() => stop(`${ms / 1000} seconds`), ms)
  const memory = tsc.pid ? watchMemory(tsc.pid, () => stop(`${mb} MB of memory`), mb) : undefined
  try {
    await tsc.ended
  } finally {
    clearTimeout(timer)
    memory?.stop()
    await tsc.stop()
  }
  if (why) throw new TypesUnchecked(why)
  return tsc.printed
}

/** Runs the compiler on Windows, where a program cannot be tethered. */
async function compileAlone(args: string[], sandbox: string, { ms }: Limits): Promise<string> {
  const program = await compiler()
  return new Promise((resolve, reject) => {
    const options = { cwd: sandbox, timeout: ms, killSignal: 'SIGKILL', maxBuffer: KEPT } as const
    execFile(program, args, options, (error, stdout) => {
      if (!error?.killed || stdout.length >= KEPT) resolve(stdout)
      else {
        const limit = `${ms / 1000} seconds`
        reject(
          new TypesUnchecked(`The types were not checked, because that took more than ${limit}.`),
        )
      }
    })
  })
}

/** Returns the path of the compiler itself. The script `tsc` would start it as a child, which outlives the script. */
async function compiler(): Promise<string> {
  const file = join(ROOT, 'node_modules', 'typescript', 'lib', 'getExePath.js')
  const { default: path } = (await import(pathToFileURL(file).href)) as { default(): string }
  return path()
}

/**
 * Returns the configuration to extend. A lesson with components is checked with the browser's types, which conflict
 * with those of Node.
 */
function base(lessonFolder: string): string {
  const isForBrowser = solutionFiles(lessonFolder).some((name) => name.endsWith('.tsx'))
  return isForBrowser ? 'tsconfig.browser.json' : 'tsconfig.json'
}
