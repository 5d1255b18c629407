import { parseRecording } from '../../../../wire/recording.ts'
import { notify } from '../state/notification.ts'
import { showRecording } from './wire-view.ts'

/** Shows a recording from a file instead of the live one, or says why it cannot. */
export async function openRecording(file: File): Promise<void> {
  try {
    const { entries, from } = parseRecording(await file.text())
    showRecording(file.name, entries, from)
    notify(`This is the saved recording ${file.name}.`)
  } catch (error) {
    notify((error as Error).message, true)
  }
}
