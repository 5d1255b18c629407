import { execFile } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { legible } from '../../wire/visible.ts'
import { solutionFiles } from '../lessons/stubs.ts'
import { ROOT } from '../root.ts'

/**
 * Returns the type errors of one lesson's files, one per line: `01-raw-chunks/server.ts:12:5 Type 'string' …`.
 *
 * @param folder the folder in the sandbox that has the files
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
      legible(`${file!.replaceAll('\\', '/')}:${line}:${column} ${message}`),
  )
}

/**
 * Returns the configuration to extend. A lesson with components is checked with the browser's types, which conflict
 * with those of Node.
 */
function base(lessonFolder: string): string {
  const isForBrowser = solutionFiles(lessonFolder).some((name) => name.endsWith('.tsx'))
  return isForBrowser ? 'tsconfig.browser.json' : 'tsconfig.json'
}
