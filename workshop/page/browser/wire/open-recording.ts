import { parseRecording } from '../../../../wire/recording.ts'
import { notify } from '../state/notification.ts'
import { showRecording } from './wire-view.ts'

/** Shows a recording from a file in place of the live wire. If the file is not a recording, shows a message. */
export async function openRecording(file: File): Promise<void> {
  try {
    showRecording(file.name, parseRecording(await file.text()))
    notify(`Showing the recording ${file.name}.`)
  } catch (error) {
    notify((error as Error).message, true)
  }
}
