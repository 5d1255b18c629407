// The entry point of every `npm run …`. It is plain JavaScript and needs nothing but Node, so it works in a fresh
// clone, in which it first installs the packages and then loads TypeScript.
import { spawn } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const lock = join(root, '.workshop', 'install.lock')

refuseOldNode()
try {
  if (!isInstalled()) await install()
  if (!process.features.typescript) await enableTypeScript()
  await import('./cli.ts')
} catch (error) {
  console.error(problemIn(error))
  process.exitCode = 2
}

/** Describes an error that occurred before the command could begin. */
function problemIn(error) {
  const { code = '', message } = error
  if (code === 'ERR_MODULE_NOT_FOUND') {
    return `A package of the workshop is missing or incomplete. To install the packages again: npm ci\n\n${message}`
  }
  if (code === 'ENOSPC') return `The packages cannot be installed, because the disk is full.`
  if (['EROFS', 'EACCES', 'EPERM', 'ENOTDIR', 'EEXIST'].includes(code)) {
    return `The packages cannot be installed, because ${error.path ?? root} cannot be written (${code}).`
  }
  return `The workshop cannot start because of an internal error. Please report it:\n\n${error.stack}`
}

/** Strips types with tsx, because this version of Node does not do it by itself. */
async function enableTypeScript() {
  const { register } = await import('tsx/esm/api')
  // tsx inspects every module that is loaded after register(). Vitest is large and does not need tsx, so load it
  // earlier.
  if (['test', 'grade-one'].includes(process.argv[2])) await import('vitest/node')
  register()
}

function refuseOldNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  if (major > 20 || (major === 20 && minor >= 19)) return
  console.error(
    `The workshop needs Node 20.19 or newer, and this is Node ${process.versions.node}. ` +
      'Install a newer version from https://nodejs.org and try again.',
  )
  process.exit(2)
}

/** Returns whether every package is installed at the version that package.json pins. */
function isInstalled() {
  const { dependencies, devDependencies } = readJson(join(root, 'package.json'))
  return Object.entries({ ...dependencies, ...devDependencies }).every(
    ([name, version]) =>
      readJson(join(root, 'node_modules', name, 'package.json')).version === version,
  )
}

/** Runs `npm ci`, or waits until another process of the workshop has run it. */
async function install() {
  let isFirst = takeLock()
  if (!isFirst) {
    console.log(
      `Another process of the workshop (${holder()}) is installing the packages. Waiting for it.`,
    )
    while (!isFirst && !isInstalled()) {
      await new Promise((resolve) => setTimeout(resolve, 200))
      isFirst = takeLock()
    }
  }
  if (!isFirst) return
  try {
    // The other process may have finished just before this one took the lock.
    if (!isInstalled()) await runNpm()
  } finally {
    rmSync(lock, { recursive: true, force: true })
  }
}

async function runNpm() {
  console.log('Installing the packages of the workshop (npm ci). This is only needed once.')
  // If a machine is configured to omit devDependencies, the workshop would never count as installed without this flag.
  const words = ['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error']
  const { npm_execpath: npm = '' } = process.env
  // Runs npm without a shell where possible. On Windows, `npm` is a .cmd file, which needs a shell.
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
      resolve(code === 0 ? undefined : `exit code ${code ?? signal}`),
    )
  })
  for (const [signal, handler] of handlers) process.off(signal, handler)
  if (problem === undefined && isInstalled()) return

  rmSync(lock, { recursive: true, force: true })
  console.error(
    `\nThe packages could not be installed: npm ci failed${problem ? ` (${problem})` : ''}.\n` +
      'The output of npm above says why. Often the network or the registry is unreachable. Once it is back, run:\n\n' +
      '  npm ci\n\nand then repeat your command.',
  )
  process.exit(2)
}

/** Tries to take the lock, even from a dead process. Returns whether this process holds it. */
function takeLock() {
  mkdirSync(dirname(lock), { recursive: true })
  if (makeLock()) return true
  const pid = holder()
  // A lock without a pid has just been created, unless its process died before it wrote the pid.
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
