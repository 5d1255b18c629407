/**
 * Shows the programs that the bytes pass through, and the one that breaks the stream:
 *
 *     server, proxy, browser
 *     broken: proxy
 *
 * `broken: proxy to browser` is the connection between the two.
 */
export function Hops({ text }: { text: string }) {
  const [names = '', broken = ''] = text.split('\n')
  const hops = names.split(', ')
  const [, place = ''] = broken.split(': ')
  const width = hops.length * STEP - GAP
  return (
    <svg
      className="hops"
      viewBox={`-3 0 ${width + 6} ${HEIGHT}`}
      role="img"
      aria-label={`${hops.join(', then ')}. Broken: ${place}`}
    >
      {hops.map((name, index) => (
        <g key={name} transform={`translate(${index * STEP} 0)`}>
          <g className={name === place ? 'broken' : undefined}>
            <rect y="3" width={BOX} height={HEIGHT - 6} rx="8" />
            <text x={BOX / 2} y={HEIGHT / 2 + 8}>
              {name}
            </text>
          </g>
          {index < hops.length - 1 && (
            <g className={`${name} to ${hops[index + 1]}` === place ? 'broken lost' : undefined}>
              <path className="line" d={`M${BOX + 8} ${HEIGHT / 2}H${STEP - 10}`} />
              <path d={`M${STEP - 22} ${HEIGHT / 2 - 9}l12 9l-12 9`} />
            </g>
          )}
        </g>
      ))}
    </svg>
  )
}

const HEIGHT = 66
const BOX = 220
const GAP = 130
const STEP = BOX + GAP
