import { useEffect, useState } from 'react'
import type { BoardMessage, Learner } from '../../../protocol/room.ts'
import { subscribe } from '../../page/browser/state/reconnecting-stream.ts'
import { isSilent, isStuck, summaryOf, type Stop, type TaskSummary } from '../room-summary.ts'

/** Shows the instructor where the room is, and what stops it. */
export function RoomBoard() {
  const { learners, now, link } = useRoom()
  const { sentence, tasks, stops, learners: present } = summaryOf(learners, now)
  return (
    <main>
      <header>
        <h1>{sentence}</h1>
        <p role="status" className={link}>
          {link === 'live'
            ? '● live'
            : link === 'lost'
              ? '○ The deck does not answer'
              : 'connecting …'}
        </p>
      </header>
      {stops && <MostStopping {...stops} />}
      {tasks.length > 0 && <Tasks tasks={tasks} all={present.length} />}
      <ul aria-label="Learners">
        {present.map((learner) => (
          <OneLearner key={learner.key} learner={learner} now={now} />
        ))}
      </ul>
      <footer>
        Learners show their progress with <code>npm run lesson 1 with ADDRESS CODE</code>. It is
        only kept in the memory of the deck.
      </footer>
    </main>
  )
}

function MostStopping({ check, rule, count, message, same }: Stop) {
  return (
    <section className="stops">
      <h2>
        {check} stops {count === 1 ? 'one learner' : `${count} learners`}: <q>{rule}</q>
      </h2>
      <p>
        {message}
        {same < count && <span className="quiet"> (the message of {same})</span>}
      </p>
    </section>
  )
}

function Tasks({ tasks, all }: { tasks: TaskSummary[]; all: number }) {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">Task</th>
          <th scope="col">Learners</th>
          <th scope="col">Stuck</th>
          <th scope="col">Past it</th>
        </tr>
      </thead>
      <tbody>
        {tasks.map(({ task, here, stuck, past }) => (
          <tr key={task}>
            <th scope="row">{task}</th>
            <td>
              <meter min={0} max={all} value={here} aria-label={`Learners at ${task}`} /> {here}
            </td>
            <td className={stuck > 0 ? 'bad' : undefined}>{stuck}</td>
            <td>{past}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function OneLearner({ learner, now }: { learner: Learner; now: number }) {
  const { name, lesson, task, passed, total, since, heardAt, check, message } = learner
  const isAway = isSilent(learner, now)
  const stuck = isStuck(learner, now)
  return (
    <li className={isAway ? 'silent' : stuck ? 'stuck' : undefined} title={message}>
      <strong>{name}</strong>
      <span>
        {task ?? `lesson ${lesson} passed`} · {passed}/{total}
        {check && ` · ${check} fails`}
      </span>
      <span className="quiet">
        {isAway
          ? `not heard of for ${minutes(now - heardAt)}`
          : `${stuck ? 'stuck' : 'here'} for ${minutes(now - since)}`}
      </span>
    </li>
  )
}

function minutes(ms: number): string {
  const whole = Math.floor(ms / 60_000)
  return whole < 1 ? 'less than a minute' : whole === 1 ? 'a minute' : `${whole} minutes`
}

type RoomState = {
  learners: Learner[]
  /** The time on the deck's clock. */
  now: number
  link: 'connecting' | 'live' | 'lost'
}

/** Follows the room for as long as the page is open. Time also passes while nobody reports anything. */
function useRoom(): RoomState {
  const [room, setRoom] = useState<RoomState>({ learners: [], now: 0, link: 'connecting' })
  useEffect(() => {
    let offset = 0
    void subscribe<BoardMessage>({
      url: './room',
      onLiveChange: (isLive) =>
        setRoom((before) => ({ ...before, link: isLive ? 'live' : 'lost' })),
      onMessage(message) {
        if (message.type === 'room') {
          offset = message.now - Date.now()
          setRoom({ learners: message.learners, now: message.now, link: 'live' })
        } else setRoom((before) => ({ ...before, now: Date.now() + offset }))
      },
    })
    // Never unsubscribe, because the board stays for as long as the page is open.
  }, [])
  return room
}
