import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { draw } from '../pictures/draw.ts'
import { PICTURES } from '../pictures/pictures.ts'
import { ROOT } from '../root.ts'

/** Draws the pictures in docs/pictures. For contributors: `node workshop/start.mjs pictures`. */
export async function pictures(): Promise<number> {
  const folder = join(ROOT, 'docs/pictures')
  mkdirSync(folder, { recursive: true })
  for (const picture of PICTURES) {
    writeFileSync(join(folder, `${picture.name}.svg`), draw(picture))
    console.log(`docs/pictures/${picture.name}.svg`)
  }
  return 0
}
