import { AppError, type ErrorCode } from '@endeks/domain/errors'

/** How many of the given facts are new and how many stood already. */
export interface Outcome {
  readonly created: number
  readonly unchanged: number
}

export interface Problem {
  readonly path: string
  readonly message: string
}

export interface Kind<Item, Standing> {
  /** the list's name in the import, for paths */
  readonly list: string
  /** what names one in a sentence */
  label(item: Item): string
  /** what differs between the wanted one and the standing one, in words; empty when they are the same */
  differences(item: Item, standing: Standing): string[]
}

const mostProblems = 100

/**
 * Tells new facts from those that stand as described.
 *
 * @param standing by place in `items`
 * @throws {AppError} ALREADY_EXISTS that names every fact which stands differently
 */
export function missingOf<Item, Standing>(
  kind: Kind<Item, Standing>,
  items: readonly Item[],
  standing: (item: Item) => Standing | undefined
): { readonly missing: Item[]; readonly unchanged: number } {
  const missing: Item[] = []
  const problems: Problem[] = []
  for (const [index, item] of items.entries()) {
    const found = standing(item)
    if (found === undefined) {
      missing.push(item)
      continue
    }
    const differences = kind.differences(item, found)
    if (differences.length > 0) {
      problems.push({
        path: `/${kind.list}/${index}`,
        message: `${kind.label(item)} exists with another ${differences.join(', another ')}`
      })
    }
  }
  refuse('ALREADY_EXISTS', problems)
  return { missing, unchanged: items.length - missing.length }
}

/** @throws {AppError} VALIDATION when a list has two with the same key, however alike they are */
export function refuseRepeated<Item>(list: string, items: readonly Item[], key: (item: Item) => string): void {
  const seen = new Set<string>()
  const problems: Problem[] = []
  for (const [index, item] of items.entries()) {
    const each = key(item)
    if (seen.has(each)) problems.push({ path: `/${list}/${index}`, message: `repeats ${each.replaceAll('\u0000', ' ')}` })
    seen.add(each)
  }
  refuse('VALIDATION', problems)
}

/** @throws {AppError} the code when there are problems: the first in its text, all of them in its list */
export function refuse(code: ErrorCode, problems: readonly Problem[]): void {
  const [first] = problems
  if (first === undefined) return
  const more = problems.length > 1 ? ` (and ${problems.length - 1} more)` : ''
  throw new AppError(code, `${first.path}: ${first.message}${more}`, { problems: problems.slice(0, mostProblems) })
}

/** Several texts as one key: none of them holds the separator. */
export function keyOf(...parts: readonly string[]): string {
  return parts.join('\u0000')
}

/** Names of those fields that are not the same. Missing, null and undefined are one. */
export function differing(pairs: Readonly<Record<string, readonly [unknown, unknown]>>): string[] {
  return Object.entries(pairs)
    .filter(([, [wanted, found]]) => (wanted ?? null) !== (found ?? null))
    .map(([name]) => name)
}
