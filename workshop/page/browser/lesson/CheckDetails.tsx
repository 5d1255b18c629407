import {
  alikeInWords,
  firstDifference,
  moreInWords,
  sideBySide,
} from '../../../verdict/side-by-side.ts'
import { shownPicture } from '../../../verdict/space-time.ts'
import { taskOf } from '../../../lessons/task-of.ts'
import { selectedCheck } from '../state/page-state.ts'
import { SpaceTimePicture } from '../ui/SpaceTimePicture.tsx'
import { TextWithFileLinks } from '../ui/TextWithFileLinks.tsx'
import { VisibleText } from '../ui/VisibleText.tsx'
import { CheckIcon, describeCheckState, type Check } from './CheckButton.tsx'
import { goToTask } from './TaskLinks.tsx'

/** Shows the details of a check: its rule, what was seen, what was expected, and both transcripts. */
export function CheckDetails({ check, seed }: { check: Check; seed: number | undefined }) {
  const { id, rule, story, notWritten, lacks, note, steps, reference } = check
  const task = taskOf(id)
  const picture = story && shownPicture(check)
  return (
    <article className="check">
      <h3>
        <CheckIcon check={check} /> {id}{' '}
        <span className="only-heard">{describeCheckState(check)}: </span>
        <span className="rule">{rule}</span>
      </h3>
      {!story && (
        <p className="quiet">
          {describeCheckState(check)}
          {notWritten && `: ${notWritten}`}
          {note && `, but ${note}`}
          {lacks && <InstallIt />}
        </p>
      )}
      {story && (
        <dl className="story">
          <dt>seen</dt>
          <dd>
            <TextWithFileLinks text={story.seen} />
          </dd>
          <dt>expected</dt>
          <dd>
            <VisibleText text={withoutExpected(story.expected)} />
          </dd>
          {(story.cause ?? story.often) && (
            <>
              <dt>{story.cause ? 'the cause' : 'a common cause'}</dt>
              <dd>
                <TextWithFileLinks text={story.cause ?? story.often ?? ''} />
              </dd>
            </>
          )}
          {check.at && (
            <>
              <dt>at</dt>
              <dd>
                <TextWithFileLinks text={check.at} />
              </dd>
            </>
          )}
        </dl>
      )}
      {picture && <SpaceTimePicture {...picture} />}
      <Transcripts yours={steps} reference={reference} />
      <p className="tools">
        <button type="button" className="link" onClick={() => goToTask(task)}>
          Task {task}
        </button>
        <code>npm run hint {task}</code>
        {seed !== undefined && (
          <span>
            replay: <code>{`SEED=${seed} npm test -- lesson${id}`}</code>
          </span>
        )}
        <CloseButton id={id} />
      </p>
    </article>
  )
}

/** Removes the word "Expected", because the label before the sentence already says it. */
function withoutExpected(text: string): string {
  return text.replace(/^Expected /, '')
}

/** Explains how to install the tool that a check needs. */
export function InstallIt() {
  return (
    <>
      . Run <code>npm run setup</code> to install it.
    </>
  )
}

function CloseButton({ id }: { id: string }) {
  if (selectedCheck.get() !== id) return null
  return (
    <button type="button" className="link" onClick={() => selectedCheck.set(undefined)}>
      Close this check
    </button>
  )
}

/** Shows your work's transcript next to the solution's, and marks the first line that differs. */
function Transcripts({
  yours,
  reference = [],
}: {
  yours: readonly string[]
  reference: readonly string[] | undefined
}) {
  if (yours.length === 0) return null
  const aligned = sideBySide(yours, reference)
  const differs = reference.length === 0 ? -1 : firstDifference(yours, reference)
  const { from, more } = aligned
  return (
    <div className="transcripts">
      <Transcript title="yours" lines={aligned.yours} from={from} differs={differs} />
      {reference.length > 0 && (
        <Transcript
          title="reference"
          lines={aligned.reference}
          from={from}
          differs={differs}
          more={more}
        />
      )}
    </div>
  )
}

function Transcript({
  title,
  lines,
  from,
  differs,
  more = 0,
}: {
  title: string
  lines: readonly string[]
  /** The number of lines left out before these lines, and after them. */
  from: number
  more?: number
  /** The index of the marked line, counted from the beginning of the transcript. */
  differs: number
}) {
  return (
    <div>
      <h4>{title}</h4>
      {from > 0 && <p className="left-out">{alikeInWords(from)}</p>}
      <ol start={from + 1} style={{ counterReset: `line ${from}` }}>
        {lines.map((line, index) => (
          // The lines of a transcript never change their order.
          // oxlint-disable-next-line react/no-array-index-key
          <li key={index} className={from + index === differs ? 'differs' : undefined}>
            {from + index === differs && <span className="mark">▶ </span>}
            <VisibleText text={line} />
          </li>
        ))}
      </ol>
      {more > 0 && <p className="left-out">{moreInWords(more)}</p>}
    </div>
  )
}
