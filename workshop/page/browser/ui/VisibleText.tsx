/**
 * Renders a text from `visible()`, which has symbols for control characters. Many machines have no font with ␊, so the page
 * draws the character's name instead. Copied text still contains the symbol.
 */
export function VisibleText({ text }: { text: string }) {
  return text.split(PICTURES).map((part, index) => {
    const name = index % 2 === 1 ? NAMES[part.charCodeAt(0) - 0x2400] : undefined
    if (!name) return part
    return (
      // The parts of a text never change their order.
      // oxlint-disable-next-line react/no-array-index-key
      <span key={index} className="control" data-name={name}>
        {part}
      </span>
    )
  })
}

const PICTURES = /([\u2400-\u241f])/

const NAMES = (
  'NUL SOH STX ETX EOT ENQ ACK BEL BS TAB LF VT FF CR SO SI ' +
  'DLE DC1 DC2 DC3 DC4 NAK SYN ETB CAN EM SUB ESC FS GS RS US'
).split(' ')
