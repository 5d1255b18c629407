import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseRecording } from '../../wire/recording.ts'
import { lessons } from '../../workshop/lessons/catalogue.ts'
import { ROOT } from '../../workshop/root.ts'
import { readDeck, slidesFolder, titleOf, type Kind } from '../../workshop/slides/deck.ts'
import { changedLines } from '../../workshop/slides/changed-lines.ts'
import { quote, pictureOf, saysOf, table } from '../../workshop/slides/quote.ts'
import { sceneIn } from '../../workshop/slides/scene.ts'
import { recordingOf, recordingsFolder } from '../../workshop/slides/deck-view.ts'
import { areQuotesOfLessonsLost } from './quotes-of-lessons.ts'

describe.skipIf(areQuotesOfLessonsLost())('the deck', () => {
  test('states the kind and minutes of each slide, and quotes only existing text', () => {
    const { chapters, problems } = readDeck()
    expect(problems).toEqual([])
    for (const { slides } of chapters) {
      for (const { minutes, text } of slides) {
        expect(minutes).toBeGreaterThan(0)
        // The first slide begins with its title.
        expect(text).toMatch(/^##? \S/)
      }
    }
  })

  test.each(lessons())('lesson $number has slides from the concept to the recap', (lesson) => {
    const chapter = readDeck().chapters.find(({ name }) => name === lesson.folder)
    const kinds = new Set(chapter?.slides.map(({ kind }) => kind))
    expect(NEEDED.filter((kind) => !kinds.has(kind))).toEqual([])
    expect(chapter!.slides.length).toBeLessThanOrEqual(14)
    expect(chapter!.slides.filter(({ kind }) => kind === 'debrief').length).toBeGreaterThan(1)
    for (const { kind, text, notes } of chapter!.slides) {
      if (kind === 'exercise') expect(text).toMatch(/^```countdown\n\d+ minutes\n```$/m)
      expect(notes, text).not.toBe('')
    }
  })

  test('only debriefs and myths quote solutions, and only after the first exercise', () => {
    for (const { name, slides } of readDeck().chapters) {
      const first = slides.findIndex(({ kind }) => kind === 'exercise')
      const early = slides.filter(
        ({ kind, text }, index) =>
          /^```\w+ solutions\//m.test(text) &&
          (index < first || (kind !== 'debrief' && kind !== 'myth')),
      )
      expect(early.map(titleOf), name).toEqual([])
    }
  })

  test('a slide on which people guess asks a question above its wire, and shows no bytes before', () => {
    const guesses = readDeck().chapters.flatMap(({ slides }) =>
      slides.filter(({ isGuess }) => isGuess),
    )
    expect(guesses.length).toBeGreaterThan(10)
    for (const { text } of guesses) {
      const [above, below] = text.split(/^```wire guess$/m)
      if (below === undefined) continue
      expect(above).toContain('?')
      expect(above).not.toContain('```')
    }
  })

  test('a table on a slide has at most four rows and two columns', () => {
    for (const { slides } of readDeck().chapters) {
      for (const slide of slides.filter(({ kind }) => kind !== 'welcome')) {
        const rows = slide.text.split('\n').filter((line) => /^\|(?![-|]*$)/.test(line))
        expect(rows.length, titleOf(slide)).toBeLessThanOrEqual(1 + 4)
        for (const row of rows) expect(row.split('|').length - 2, row).toBeLessThanOrEqual(2)
      }
    }
  })

  test('no line of a message is wrapped a second time on a slide', () => {
    for (const { slides } of readDeck().chapters) {
      for (const slide of slides) {
        for (const [, message = ''] of slide.text.matchAll(
          /^```text npm test\n([\s\S]*?)^```$/gm,
        )) {
          const long = message.split('\n').filter((line) => line.length > 74)
          expect(long, titleOf(slide)).toEqual([])
        }
      }
    }
  })

  test('a countdown leaves time to explain the slide', () => {
    for (const { slides } of readDeck().chapters) {
      for (const { text, minutes, kind } of slides) {
        const [, counted = 0] = /^```countdown\n(\d+) minutes$/m.exec(text) ?? []
        if (kind === 'exercise') expect(minutes, text).toBeGreaterThan(Number(counted))
      }
    }
  })

  test('each wire has a complete recording, and each recording is on a slide', () => {
    const { scenes } = readDeck()
    for (const scene of scenes) {
      const { entries } = parseRecording(readFileSync(recordingOf(scene), 'utf8'))
      const crossed = entries.filter(({ entry }) => entry.kind === 'arrived')
      expect(crossed.length, scene.name).toBeGreaterThan(2)
      const hasProxy = crossed.some(({ entry }) => 'hop' in entry && entry.hop === 'proxy')
      expect(hasProxy, scene.name).toBe(scene.steps.includes('proxy'))
    }
    const files = readdirSync(recordingsFolder).map((name) => name.replace(/\.ndjson$/, ''))
    expect(files.toSorted()).toEqual(scenes.map(({ name }) => name).toSorted())
  })

  test('every link target and every command on a slide exists', () => {
    const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
    const names = readdirSync(slidesFolder).filter((name) => name.endsWith('.md'))
    for (const text of names.map((name) => readFileSync(join(slidesFolder, name), 'utf8'))) {
      for (const [, path = ''] of text.matchAll(/\]\((?!https?:)([^)#]+)/g)) {
        expect(existsSync(join(slidesFolder, path)), path).toBe(true)
      }
      for (const [command, name = ''] of text.matchAll(/npm run ([a-z]+(?:-[a-z]+)*)/g)) {
        expect(Object.keys(scripts), command).toContain(name)
      }
      for (const [, task = '', number = ''] of text.matchAll(
        /npm run (?:hint|lesson) ((\d+)(?:\.\d+)?)/g,
      )) {
        const lesson = lessons().find((each) => each.number === Number(number))
        const isKnown = task.includes('.') ? lesson?.tasks.some(({ id }) => id === task) : lesson
        expect(isKnown, task).toBeTruthy()
      }
    }
  })
})

describe('a quote on a slide', () => {
  test('can be a region, without its markers and indentation', () => {
    const region = quote('solutions/02-server-sent-events/parse.ts#2.5', '')
    expect(region).toMatch(/^let type = ''\n/)
    expect(region).toContain('function* readLines(')
    expect(region).not.toContain('region')
  })

  test('can be the part of a region between two lines', () => {
    expect(quote('solutions/02-server-sent-events/server.ts#2.2', '} finally {\n…\n}')).toBe(
      '} finally {\n  clearInterval(heartbeat)\n}\n',
    )
  })

  test('shows where lines are left out', () => {
    expect(
      quote('solutions/02-server-sent-events/parse.ts#2.5', "let type = ''\nlet id = ''"),
    ).toBe("let type = ''\n// …\nlet id = ''\n")
  })

  test('can be the file of a mistake and its message', () => {
    expect(quote('test/mistakes/lesson1/collects/server.ts', '')).toContain('lines.push(')
    const says = saysOf('lesson1/collects')
    expect(says).toMatch(/^✗ 1\.2a .*\n\n(?:.*\n)+.* before the next quake happens\.\n$/)
  })

  test('can be the picture in the message of a mistake', () => {
    expect(JSON.parse(pictureOf('lesson5/reads-then-listens'))).toMatchObject({
      parties: ['history', 'server', 'client'],
    })
    expect(() => pictureOf('lesson1/collects')).toThrow('has no picture')
  })

  test('can be the head of a table and its matching rows', () => {
    expect(
      table('README.md', '1 | [Raw')
        .split('\n')
        .map((line) => line.slice(0, 9)),
    ).toEqual(['| | lesso', '|---|---|', '| 1 | [Ra'])
  })

  test('can be columns of a table, joined or alone', () => {
    const [head, rule, row] = table(
      'lessons/04-buffering/README.md',
      'nginx | `proxy_http_version 1.1;` | X',
      ['2+3', '4'],
    ).split('\n')
    expect(head!.split('|')).toHaveLength(4)
    expect(rule).toBe('|---|---|')
    expect(row).toBe('| `proxy_http_version 1.1;`, X-Accel-Buffering: no | passes |')
  })

  test('keeps its indentation, even if its first line is deeper than its last', () => {
    const excerpt =
      'return () => {\n…\n}, []); // Empty dependency array ensures the effect runs once on mount'
    expect(quote('lessons/03-react/exhibit/SSEExample.jsx', excerpt)).toMatch(
      /^ {2}return [^]*\n\}, \[\]\);/,
    )
  })

  test('marks the lines in which a mistake and the solution differ', () => {
    const slide = '```says lesson3/debounce\n```'
    const mistake = 'test/mistakes/lesson3/debounce/useQuakes.ts'
    const lines = 'clearTimeout(timer)\ntimer = setTimeout(show, QUIET_MS)\n'
    expect(changedLines(mistake, lines, slide)).toEqual([2])
    const fix = '  timer ??= setTimeout(show, FRAME_MS)\n'
    expect(changedLines('solutions/03-react/useQuakes.ts#3.3', fix, slide)).toEqual([1])
    // Without a mistake on the slide, or if everything differs, there is nothing to mark.
    expect(changedLines('solutions/03-react/useQuakes.ts', fix, '')).toEqual([])
    expect(changedLines(mistake, 'a\nb\n', slide)).toEqual([])
  })

  test.each([
    [
      'a file',
      () => quote('solutions/01-raw-chunks/gone.ts', ''),
      'no file solutions/01-raw-chunks/gone.ts',
    ],
    ['a region', () => quote('solutions/01-raw-chunks/server.ts#1.9', ''), 'no region 1.9'],
    [
      'a line',
      () => quote('solutions/01-raw-chunks/server.ts#1.1', 'res.gone()'),
      'no line "res.gone()"',
    ],
    ['a mistake', () => saysOf('lesson1/gone'), 'no mistake lesson1/gone'],
    ['a row', () => table('README.md', 'gone |'), 'no row "gone |"'],
    [
      'a step',
      () => sceneIn('a', 'solutions/01-raw-chunks\nwait'),
      '"wait" is not a step of a wire',
    ],
    ['a name', () => sceneIn('', 'solutions/01-raw-chunks'), 'a wire needs a name'],
  ])('reports that %s does not exist', (_what, quoting, says) => {
    expect(quoting).toThrow(says)
  })
})

const NEEDED: Kind[] = ['title', 'concept', 'wire', 'myth', 'exercise', 'debrief', 'recap']
