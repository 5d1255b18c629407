import { join } from 'node:path'
import express, { type Express } from 'express'
import { MEANINGS } from '../../protocol/experiment.ts'
import { safety } from '../http/safety.ts'
import { serve, type RunningServer } from '../http/serve.ts'
import { ROOT } from '../root.ts'
import { chartSvg } from './chart-svg.ts'
import type { Comparison } from './comparison.ts'
import { answerIn, judgedWay, ROWS, seenIn, verdictIn } from './comparison-text.ts'
import { duration, printable } from './format.ts'
import { html, type Html } from './html.ts'
import { firstShown, LANES_LEGEND } from './lanes.ts'

/** Serves a comparison as a page, which only this machine can open. */
export function servePage(
  comparison: Comparison,
  { most, ports = PAGE_PORTS }: { most: number; ports?: readonly number[] },
): Promise<RunningServer> {
  return serve(pageApp(comparison, most), { ports })
}

function pageApp(comparison: Comparison, most: number): Express {
  const page = pageOf(comparison, most).html
  const app = express()
    .use(safety())
    .get('/', (_request, response) => void response.type('html').send(page))
  for (const [path, file] of Object.entries(FILES)) {
    app.get(path, (_request, response) => response.sendFile(join(ROOT, file)))
  }
  return app
}

/** The files of the page. The lesson page has the same colours and the same icon. */
const FILES = {
  '/page.css': 'workshop/hops/page.css',
  '/colours.css': 'workshop/page/browser/colours.css',
  '/favicon.svg': 'workshop/page/browser/favicon.svg',
}

function pageOf(comparison: Comparison, most: number): Html {
  const { streams, events, unit, watchedMs, notes, hops, verdict, cause } = comparison
  const first = firstShown(events.length, most)
  const shown = events.slice(first, first + most)
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width" />
        <title>${verdict ?? 'no verdict'} · Find the hop that holds the bytes</title>
        <link rel="icon" href="/favicon.svg" />
        <link rel="stylesheet" href="/colours.css" />
        <link rel="stylesheet" href="/page.css" />
      </head>
      <body>
        <main>
          <h1>Find the hop that holds the bytes</h1>
          <dl>
            <dt>direct</dt>
            <dd>${streams.direct.url}</dd>
            <dt>public</dt>
            <dd>${streams.public.url}</dd>
            ${hops.map(
              ({ name, by }) =>
                html`<dt>hop</dt>
                  <dd>${name}, by its header "${printable(by, 80)}"</dd>`,
            )}
            <dt>watched</dt>
            <dd>${duration(watchedMs)}</dd>
          </dl>
          ${verdictSection(comparison)}
          ${cause && cause.lines.length > 0 ? linesSection(cause.lines) : html``}
          ${notes.map((note) => html`<p>Note: ${note}</p>`)}
          <h2>Arrivals</h2>
          <p>${LANES_LEGEND}</p>
          <div class="wide" tabindex="0" role="group" aria-label="Chart of the arrivals">
            ${chartSvg(comparison, most)}
          </div>
          <div class="wide" tabindex="0" role="group" aria-label="Table of the arrivals">
            <table>
              <caption>
                ${shown.length < events.length ? `${shown.length} of ${events.length}` : `${events.length}`}
                ${unit}s, in milliseconds since the first request
              </caption>
              <thead>
                <tr>
                  <th scope="col">${unit}</th>
                  <th scope="col" class="number">direct</th>
                  <th scope="col" class="number">public</th>
                  <th scope="col" class="number">delay</th>
                </tr>
              </thead>
              <tbody>
                ${shown.map(({ id, direct, delay }, n) => {
                  const arrived = delay === undefined ? 'not yet' : (direct + delay).toFixed(1)
                  return html`<tr>
                    <th scope="row">
                      ${id === undefined ? `${first + n + 1}` : printable(`id ${id}`, 40)}
                    </th>
                    <td class="number">${direct.toFixed(1)}</td>
                    <td class="number">${arrived}</td>
                    <td class="number">${delay === undefined ? 'not yet' : duration(delay)}</td>
                  </tr> `
                })}
              </tbody>
            </table>
          </div>
          <h2>The four requests</h2>
          <div class="wide" tabindex="0" role="group" aria-label="Table of the four requests">
            <table>
              <thead>
                <tr>
                  ${['address', 'asked', 'answer', 'head', `${unit}s`, 'verdict'].map((name) => html`<th scope="col">${name}</th>`)}
                </tr>
              </thead>
              <tbody>
                ${ROWS.map(([way, address, asks]) => {
                  const stream = streams[way]
                  return html`<tr>
                    <td>${address}</td>
                    <td>${asks}</td>
                    <td>${answerIn(stream)}</td>
                    <td>${stream.headMs === undefined ? '…' : duration(stream.headMs)}</td>
                    <td>${stream.events}</td>
                    <td>${way === 'direct' ? 'reference' : verdictIn(way, comparison)}</td>
                  </tr> `
                })}
              </tbody>
            </table>
          </div>
        </main>
      </body>
    </html> `
}

function verdictSection(comparison: Comparison): Html {
  const { verdict, cause, streams } = comparison
  if (!verdict || !cause) {
    const problem = streams.direct.problem ?? streams.public.problem
    return html`<p class="verdict">
      <strong>No verdict.</strong> ${problem ?? 'There was nothing to compare.'}
    </p>`
  }
  return html`<div class="verdict">
    <p><strong>${verdictIn(judgedWay(comparison), comparison)}</strong>: ${MEANINGS[verdict]}.</p>
    <p>${seenIn(comparison)}</p>
    <p>${cause.text}</p>
  </div>`
}

function linesSection(lines: { program: string; line: string }[]): Html {
  return html`<h2>Change one of these lines, the likeliest first</h2>
    <dl>
      ${lines.map(
        ({ program, line }) =>
          html`<dt>${program}</dt>
            <dd>${line}</dd>`,
      )}
    </dl>`
}

const PAGE_PORTS = Array.from({ length: 50 }, (_, index) => 3200 + index)
