const largest = 9_223_372_036_854_775_807n

/** A surrogate key, or undefined when it is larger than any key: nothing has it, which is no fault of the caller's. */
export function surrogateId(text: string): bigint | undefined {
  const id = BigInt(text)
  return id <= largest ? id : undefined
}

/** Whether an amount or a quantity fits its column. */
export function fitsColumn(value: bigint): boolean {
  return value <= largest && value >= -largest
}

/**
 * The form in which names are searched: small letters by Turkish rules (I becomes ı, İ becomes i), marks taken off, ı as i.
 * IŞIK, ışık and Isik all become isik, so that nobody has to know how a name was typed.
 */
export function foldName(name: string): string {
  return name.toLocaleLowerCase('tr').normalize('NFD').replaceAll(/\p{M}/gu, '').replaceAll('ı', 'i').replaceAll(/\s+/g, ' ').trim()
}

/** A text for LIKE in which nothing is a wildcard. */
export function literalLike(text: string): string {
  return text.replaceAll(/[\\%_]/g, (character) => `\\${character}`)
}
