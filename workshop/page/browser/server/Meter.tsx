import type { ServerState } from '../../../../protocol/page.ts'
import { useIsGone } from '../state/page-state.ts'
import { formatCount } from '../ui/format.ts'

/** Shows how many tokens the server has generated, and what they would cost. */
export function Meter({ meter = NOTHING }: Pick<ServerState, 'meter'>) {
  const isGone = useIsGone()
  const { tokens, answers } = meter
  return (
    <section className="meter" aria-labelledby="meter-title">
      <h2 id="meter-title">Meter</h2>
      <p className={isGone ? 'quiet' : undefined}>
        <strong>{formatCount(tokens, 'token')} generated</strong> · ${(tokens * PRICE).toFixed(2)}
      </p>
      <p role="status" className="quiet">
        {answers === 0
          ? 'No answer is being generated.'
          : `Generating ${formatCount(answers, 'answer')}`}
      </p>
      <p className="quiet">The price is made up: one cent per token.</p>
    </section>
  )
}

/** The made-up price of a token, in dollars. Real prices are far lower, so that nobody could watch them grow. */
const PRICE = 0.01

const NOTHING = { tokens: 0, answers: 0 }
