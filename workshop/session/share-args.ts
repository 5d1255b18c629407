import type { Problem } from '../lessons/args.ts'
import { nameIn } from './room-report.ts'
import { newNickname } from './nickname.ts'

/** The instructor's board to which a learner shows their progress, and the learner's nickname. */
export type ShareTarget = { address: string; code: string; name: string }

/**
 * Parses `with ADDRESS CODE` or `with ADDRESS CODE as NAME` at the end of `args`, and removes it from `args`.
 *
 * @returns undefined if the arguments name no board
 */
export function takeShareTarget(args: string[]): ShareTarget | Problem | undefined {
  const at = args.indexOf('with')
  if (at < 0) return undefined
  const [said = '', code = '', as, ...words] = args.splice(at).slice(1)
  const address = addressIn(said)
  if (address === undefined) {
    return { problem: `"${said}" is not the address of a board. ${USAGE}` }
  }
  if (!/^[a-z]{6}$/i.test(code)) {
    return { problem: `"${code}" is not a code, which has six letters. ${USAGE}` }
  }
  if (as !== undefined && as !== 'as') {
    return { problem: `Unknown argument "${as}" after the code. ${USAGE}` }
  }
  const name = as === undefined ? newNickname() : nameIn(words.join(' '))
  if (name === undefined) return { problem: 'A nickname needs a letter or a digit after "as".' }
  return { address, code: code.toUpperCase(), name }
}

/** Returns the host and port of an address, which may be the whole URL of the followers' deck. */
function addressIn(said: string): string | undefined {
  const url = `http://${said.replace(/^http:\/\//, '')}`
  if (!URL.canParse(url)) return undefined
  const { hostname, port } = new URL(url)
  return port === '' ? undefined : `${hostname}:${port}`
}

const USAGE =
  'The address and the code are on the screen when the instructor presses C. For example: npm run lesson 1 with 192.168.1.5:3302 KMXTRA as Ada'
