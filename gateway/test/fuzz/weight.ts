/** So many characters or bytes count as one value more. */
const unitsPerCell = 16

/**
 * How much a decoder made: every value, list and object counts one, and texts and bytes by their length. Bounds what a decoder
 * may spend without asking a clock.
 *
 * @throws {TypeError} for what no decoder gives: a function or a symbol
 */
export function cellsOf(value: unknown): number {
  if (value === null || value === undefined) return 1
  switch (typeof value) {
    case 'boolean':
    case 'bigint':
    case 'number':
      return 1
    case 'string':
      return 1 + value.length / unitsPerCell
    case 'object':
      return value instanceof Uint8Array ? 1 + value.length / unitsPerCell : within(value)
    default:
      throw new TypeError(`a ${typeof value} is not a value`)
  }
}

function within(value: object): number {
  let cells = 1
  if (Array.isArray(value)) for (const each of value) cells += cellsOf(each)
  else for (const name in value) cells += cellsOf((value as Readonly<Record<string, unknown>>)[name])
  return cells
}
