import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { solutionFiles } from '../lessons/stubs.ts'
import { ROOT } from '../root.ts'

/**
 * Returns the type errors in the files of a lesson, one per line: `01-raw-chunks/server.ts:12:5 Type 'string' …`.
 *
 * @param folder the folder in the sandbox that contains the files
 */
export async function typeErrors(
  sandbox: string,
  lessonFolder: string,
  folder = lessonFolder,
): Promise<string[]> {
  const config = join(sandbox, 'tsconfig.json')
  await writeFile(
    config,
    JSON.stringify({ extends: join(ROOT, base(lessonFolder)), include: [folder] }),
  )
  const tsc = join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc')
  const output = await promisify(execFile)(
    process.execPath,
    [tsc, '-p', config, '--pretty', 'false'],
    { cwd: sandbox },
  ).then(
    () => '',
    ({ stdout }: { stdout?: string }) => stdout ?? '',
  )
  return [...output.matchAll(/^([^\s(].*)\((\d+),(\d+)\): error TS\d+: (.*)$/gm)].map(
    ([, file, line, column, message]) =>
      `${file!.replaceAll('\\', '/')}:${line}:${column} ${message}`,
  )
}

/** Only code for a browser gets the types of a browser, because they contradict those of Node. */
function base(lessonFolder: string): string {
  const isForBrowser = solutionFiles(lessonFolder).some((name) => name.endsWith('.tsx'))
  return isForBrowser ? 'tsconfig.browser.json' : 'tsconfig.json'
}
