// The first file of every `npm run …`. It is JavaScript and needs nothing but Node, so that it can set up
// a fresh clone: TypeScript and everything else comes after that.
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const lock = join(root, '.workshop', 'install.lock')

refuseOldNode()
if (!isInstalled()) await install()
if (!process.features.typescript) await takeTypesOut()
await import('./cli.ts')

/** What newer versions of Node do by themselves. */
async function takeTypesOut() {
  const { register } = await import('tsx/esm/api')
  // From then on tsx looks at every module. These are large, and need no looking at.
  if (['test', 'grade-one'].includes(process.argv[2])) await import('vitest/node')
  register()
}

function refuseOldNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > 20 || (major === 20 && minor >= 19)) return
  console.error(
    `The workshop needs Node 20.19 or newer, and this is Node ${process.versions.node}. ` +
      'Install a current one from https://nodejs.org and try again.',
  )
  process.exit(2)
}

/** Every package that package.json pins is there, in that version. */
function isInstalled() {
  const { dependencies, devDependencies } = readJson(join(root, 'package.json'))
  return Object.entries({ ...dependencies, ...devDependencies }).every(
    ([name, version]) =>
      readJson(join(root, 'node_modules', name, 'package.json')).version === version,
  )
}

/** Runs `npm ci`, or waits until another start of the workshop has done it. */
async function install() {
  let isFirst = takeLock()
  if (!isFirst) {
    console.log(
      `Another start of the workshop (process ${holder()}) is installing the packages. Waiting for it.`,
    )
    while (!isFirst && !isInstalled()) {
      await new Promise((resolve) => setTimeout(resolve, 200))
      isFirst = takeLock()
    }
  }
  if (!isFirst) return
  try {
    // The other one may have finished just before this one took the lock.
    if (!isInstalled()) await runNpm()
  } finally {
    rmSync(lock, { recursive: true, force: true })
  }
}

async function runNpm() {
  console.log('Installing the packages of the workshop, once (npm ci).')
  // Without devDependencies, which some machines leave out, the workshop would never look installed.
  const words = ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']
  const { npm_execpath: npm = '' } = process.env
  // The npm that runs this script, without a shell: on Windows `npm` is a .cmd, which needs one.
  const child = /npm-cli\.c?js$/.test(npm)
    ? spawn(process.execPath, [npm, ...words], { cwd: root, stdio: 'inherit' })
    : spawn('npm', words, {
        cwd: root,
        stdio: 'inherit',
        shell: process.platform === 'win32',
      })
  const stop = (signal, code) => () => {
    child.kill(signal)
    rmSync(lock, { recursive: true, force: true })
    process.exit(code)
  }
  const handlers = [
    ['SIGINT', stop('SIGINT', 130)],
    ['SIGTERM', stop('SIGTERM', 143)],
    ['SIGHUP', stop('SIGHUP', 129)],
  ]
  for (const [signal, handler] of handlers) process.on(signal, handler)
  const problem = await new Promise((resolve) => {
    child.on('error', (error) => resolve(error.message))
    child.on('exit', (code, signal) =>
      resolve(code === 0 ? undefined : `it ended with ${code ?? signal}`),
    )
  })
  for (const [signal, handler] of handlers) process.off(signal, handler)
  if (problem === undefined && isInstalled()) return

  rmSync(lock, { recursive: true, force: true })
  console.error(
    `\nThe packages could not be installed: npm ci failed${problem ? ` (${problem})` : ''}.\n` +
      'npm says why above. Often the network or the registry is out of reach. When it is back, type:\n\n' +
      '  npm ci\n\nand then the command you wanted.',
  )
  process.exit(2)
}

/** True when this process holds the lock. The lock of a process that is gone is taken over. */
function takeLock() {
  mkdirSync(dirname(lock), { recursive: true })
  if (makeLock()) return true
  const pid = holder()
  // Made just now, and its pid not yet written: that takes no time, unless the process died on the way.
  if (pid === undefined ? ageOfLockMs() < 5000 : isAlive(pid)) return false
  rmSync(lock, { recursive: true, force: true })
  return makeLock()
}

function makeLock() {
  try {
    mkdirSync(lock)
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw error
  }
  writeFileSync(join(lock, 'pid'), String(process.pid))
  return true
}

function holder() {
  try {
    return Number(readFileSync(join(lock, 'pid'), 'utf8')) || undefined
  } catch {
    return undefined
  }
}

function ageOfLockMs() {
  try {
    return Date.now() - statSync(lock).mtimeMs
  } catch {
    return 0
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}

function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return {}
  }
}
