/** A text that is HTML already. */
export type Html = { readonly html: string }

/** Makes HTML of a template, and escapes everything in it that is not HTML already. */
export function html(
  parts: TemplateStringsArray,
  ...values: (string | number | Html | Html[])[]
): Html {
  return {
    html: parts.reduce((text, part, n) => `${text}${escaped(values[n - 1]!)}${part}`),
  }
}

function escaped(value: string | number | Html | Html[]): string {
  if (Array.isArray(value)) return value.map((one) => one.html).join('')
  if (typeof value === 'object') return value.html
  return String(value).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
