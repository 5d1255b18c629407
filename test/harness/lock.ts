// The grader adds an import of this file to each of the learner's files, so it runs before any of their code. It locks
// what the checks and their results rely on, so that the learner's code cannot replace it.
import * as asyncHooks from 'node:async_hooks'
import * as buffer from 'node:buffer'
import * as crypto from 'node:crypto'
import * as events from 'node:events'
import * as fs from 'node:fs'
import * as http from 'node:http'
import * as net from 'node:net'
import * as path from 'node:path'
import * as stream from 'node:stream'
import * as streamPromises from 'node:stream/promises'
import * as stringDecoder from 'node:string_decoder'
import * as url from 'node:url'
import * as util from 'node:util'
import * as zlib from 'node:zlib'
import { closeBackDoors } from './back-doors.ts'
import { signOfLife } from './signs-of-life.ts'

const { defineProperty, getPrototypeOf } = Object

/** Locks everything, and tells the grader that the learner's code begins. */
function lock(): void {
  hideVitest()
  // A process may grade several programs, but a property can be locked only once.
  if (Object.isExtensible(Object.prototype)) {
    closeBackDoors()
    lockModules()
    lockPlatform()
    forbidCodeFromStrings()
    lockLanguage()
    Object.preventExtensions(Object.prototype)
  }
  signOfLife('work')
}

/** Hides Vitest's globals from all code except Vitest's own, because they lead to the results and to every loaded module. */
function hideVitest(): void {
  for (const name of ['__vitest_worker__', '__vitest_index__', '__vitest_mocker__']) {
    const own = Object.getOwnPropertyDescriptor(globalThis, name)
    if (!own || own.get) continue
    let { value } = own
    defineProperty(globalThis, name, {
      get: () => (isCalledByVitest() ? value : undefined),
      set: (next: unknown) => {
        if (isCalledByVitest()) value = next
      },
      // Vitest defines the property again for its next run in this process.
      configurable: true,
    })
  }
}

/**
 * Returns whether the code that reads or sets a property belongs to Vitest. Looks only at the innermost call, because
 * Vitest also calls the learner's code. A built-in function, such as `Reflect.get()`, has no file.
 */
function isCalledByVitest(): boolean {
  const { stackTraceLimit, prepareStackTrace } = Error
  Error.stackTraceLimit = 3
  Error.prepareStackTrace = (_error, callSites) => callSites
  const sites = new Error('where').stack as unknown as NodeJS.CallSite[]
  Error.stackTraceLimit = stackTraceLimit
  Error.prepareStackTrace = prepareStackTrace
  // The first two calls are this function and the getter or setter.
  const file = sites[2]?.getFileName()
  return typeof file === 'string' && VITEST.test(file)
}

const VITEST = /[\\/]node_modules[\\/]@?vitest[\\/]/

function lockModules(): void {
  const modules = [
    ...[asyncHooks, buffer, crypto, events, fs, http, net, path],
    ...[stream, streamPromises, stringDecoder, url, util, zlib],
  ]
  for (const { default: exports } of modules as { default: object }[]) {
    lockFunctions(exports, { isModule: true })
    for (const [, { value }] of entriesOf(exports)) {
      if (typeof value === 'function' && value.prototype) lockClass(value)
    }
  }
}

/** Locks the classes that Node adds to the language. */
function lockPlatform(): void {
  for (const name of namesIn(PLATFORM)) {
    const value = (globalThis as Record<string, unknown>)[name]
    if (typeof value === 'function') lockClass(value)
  }
  const readable = new ReadableStream()[Symbol.asyncIterator]()
  lockFunctions(getPrototypeOf(readable))
}

const PLATFORM = `
  AbortController AbortSignal Blob Event EventTarget FormData Headers MessageChannel MessagePort
  ReadableByteStreamController ReadableStream ReadableStreamBYOBReader
  ReadableStreamDefaultController ReadableStreamDefaultReader Request Response TextDecoder
  TextDecoderStream TextEncoder TransformStream URL URLSearchParams WritableStream
`

/** Locks the global names of the language, and the functions of its classes, but not their methods, see untouched.ts. */
function lockLanguage(): void {
  for (const name of namesIn(LANGUAGE)) {
    const value = (globalThis as Record<string, unknown>)[name]
    if (!value) continue
    // With a locked property, RegExp would be ten times slower.
    if (value !== RegExp) lockFunctions(value)
    defineProperty(globalThis, name, { value, writable: false, configurable: false })
  }
}

const LANGUAGE = `
  Object Array ArrayBuffer BigInt Boolean Buffer DataView Date Error JSON Map Math Number Promise
  Proxy Reflect RegExp Set SharedArrayBuffer String Symbol TypeError RangeError SyntaxError
  Uint8Array Uint16Array Uint32Array WeakMap WeakRef WeakSet FinalizationRegistry AggregateError
  isFinite isNaN parseFloat parseInt queueMicrotask structuredClone
`

/** Makes `eval()` and the constructors of functions throw, because code from a string has no imports that can be checked. */
function forbidCodeFromStrings(): void {
  const refuse = (): never => {
    throw new EvalError('a lesson may not run code from a string')
  }
  for (const sample of [function () {}, async () => {}, function* () {}, async function* () {}]) {
    const prototype = getPrototypeOf(sample)
    const refusing = new Proxy(prototype.constructor, { apply: refuse, construct: refuse })
    defineProperty(prototype, 'constructor', {
      value: refusing,
      writable: false,
      configurable: false,
    })
    if (prototype === Function.prototype) globalThis.Function = refusing
  }
  defineProperty(globalThis, 'Function', { writable: false, configurable: false })
  defineProperty(globalThis, 'eval', { value: refuse, writable: false, configurable: false })
}

/** Locks the static functions of a class, and its methods. */
function lockClass(constructor: Function): void {
  lockFunctions(constructor)
  if (constructor.prototype) lockFunctions(constructor.prototype as object, { mayShadow: true })
}

/**
 * Locks the functions and accessors of an object.
 *
 * @param options.mayShadow whether an object that inherits a function may get one of its own by assignment, which needs a
 *   slower kind of property
 */
function lockFunctions(object: object, { mayShadow = false, isModule = false } = {}): void {
  for (const [key, { value, configurable, get, set }] of entriesOf(object)) {
    // Vitest replaces this function to map the lines of a stack.
    if (!configurable || key === 'prepareStackTrace') continue
    if (get || set) {
      // Node loads some exports only when they are read, and then replaces the getter.
      if (!isModule) defineProperty(object, key, { configurable: false })
    } else if (typeof value !== 'function') continue
    else if (mayShadow) defineProperty(object, key, shadowable(object, key, value))
    else defineProperty(object, key, { writable: false, configurable: false })
  }
}

/** Describes a property that cannot change in `holder`, but that objects which inherit from `holder` may have themselves. */
function shadowable(holder: object, key: string | symbol, value: unknown): PropertyDescriptor {
  return {
    get: () => value,
    set(this: object, next: unknown) {
      if (this === holder) throw new TypeError(`a lesson may not replace ${String(key)}()`)
      defineProperty(this, key, {
        value: next,
        writable: true,
        enumerable: true,
        configurable: true,
      })
    },
    configurable: false,
  }
}

function namesIn(list: string): string[] {
  return list.trim().split(/\s+/)
}

function entriesOf(object: object): [string | symbol, PropertyDescriptor][] {
  return Reflect.ownKeys(object).map((key) => [key, Object.getOwnPropertyDescriptor(object, key)!])
}

if (process.env.WORKSHOP_SANDBOX) lock()
