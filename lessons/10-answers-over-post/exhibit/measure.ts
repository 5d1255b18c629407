import { answerServer } from './answer-server.ts'
import { ABORT, ENDINGS } from './endings.ts'
import { READERS, type Reader } from './readers.ts'

/** What the SDKs report, by ending and by way to read. */
export type Table = Record<string, Record<string, string>>

/** Lets each way to read meet each ending. No result depends on time. */
export async function measureAll(): Promise<Table> {
  const server = await answerServer()
  const table: Table = {}
  for (const ending of Object.keys(ENDINGS)) {
    table[ending] = {}
    for (const [name, reader] of Object.entries(READERS)) {
      table[ending][name] = await report(reader, server.urlOf(ending), ending === ABORT)
    }
  }
  server.close()
  return table
}

/** Returns `no error` or `throws TypeError`, and the text if it is not "Hello". */
async function report(read: Reader, url: string, aborts: boolean): Promise<string> {
  let text = ''
  const onText = (token: string): boolean => {
    text += token
    return aborts && text === TEXT
  }
  const error = await read(url, onText).then(
    () => undefined,
    (thrown: Error) => thrown,
  )
  const end = error ? `throws ${error.constructor.name}` : 'no error'
  return text === TEXT ? end : `${end}, text "${text}"`
}

const TEXT = 'Hello'
