/** A service of a compose file, as far as its program is concerned. */
export interface ComposeService {
  readonly name: string
  readonly image: string
  readonly entrypoint: readonly string[]
  readonly command: readonly string[]
  readonly environment: Readonly<Record<string, string>>
}

/**
 * The services of a compose file that is written as ours are: two spaces a level, each variable on a line of its own, command lines as
 * lists in one line of single quotes.
 *
 * @throws {Error} for a line about programs or variables that is written otherwise, so that none is passed over
 */
export function servicesOf(text: string): ComposeService[] {
  const [, block = ''] = /^services:\n((?: .*\n|\s*\n)*)/m.exec(text) ?? []
  return block.split(/^(?= {2}[a-z][a-z0-9-]*:$)/m).flatMap((part) => {
    const [head = '', ...rest] = part.split('\n').filter((line) => !/^\s*(#|$)/.test(line))
    return head.startsWith('  ') ? [serviceOf(head.trim().slice(0, -1), rest)] : []
  })
}

function serviceOf(name: string, lines: readonly string[]): ComposeService {
  const values = new Map<string, string>()
  const environment: Record<string, string> = {}
  let key = ''
  for (const line of lines) {
    const [, field, value = ''] = /^ {4}([a-z_]+|<<):(?: (.*))?$/.exec(line) ?? []
    if (field !== undefined) {
      key = field
      values.set(field, value)
    } else if (key === 'environment') {
      const [, variable, content = ''] = /^ {6}([A-Z][A-Z0-9_]*): (.+)$/.exec(line) ?? []
      if (variable === undefined) throw new Error(`${name}: "${line}" is no variable with its value`)
      environment[variable] = content.replace(/^'(.*)'$/, '$1')
    }
  }
  if ((values.get('environment') ?? '') !== '') throw new Error(`${name}: each variable stands on a line of its own`)
  return {
    ...{ name, environment, image: values.get('image') ?? '' },
    ...{ entrypoint: listOf(values.get('entrypoint')), command: listOf(values.get('command')) }
  }
}

function listOf(value: string | undefined): string[] {
  if (value === undefined) return []
  if (!/^\['[^'"\\]*'(, '[^'"\\]*')*\]$/.test(value)) throw new Error(`"${value}" is no list of words in single quotes`)
  return Array.from(value.matchAll(/'([^']*)'/g), ([, word = '']) => word)
}

/** The variables that a compose file takes from `.env`. */
export function asked(text: string): string[] {
  return [...new Set(Array.from(text.matchAll(/\$\{([A-Z_]+)/g), ([, name = '']) => name))].sort()
}

/** With every `${NAME:?...}` and `${NAME:-...}` replaced. */
export function filledIn(text: string, fill: (name: string) => string): string {
  return text.replaceAll(/\$\{([A-Z_]+)(?::[?-][^}]*)?\}/g, (_, name: string) => fill(name))
}
