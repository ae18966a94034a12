import { parseScaled } from '@endeks/domain/units'

/** An exact share. One third has no finite decimals, so it stays a fraction to the end. */
export interface Fraction {
  readonly numerator: bigint
  readonly denominator: bigint
}

/** "1/3" or "0.10", in lowest terms. @throws {AppError} AMOUNT_INVALID for a decimal that is none */
export function parseRatio(text: string): Fraction {
  const [numerator = '', denominator] = text.split('/')
  if (denominator === undefined) return lowest(parseScaled(numerator, 9, 'AMOUNT_INVALID'), 1_000_000_000n)
  return lowest(parseScaled(numerator, 0, 'AMOUNT_INVALID'), parseScaled(denominator, 0, 'AMOUNT_INVALID'))
}

export function formatRatio({ numerator, denominator }: Fraction): string {
  return denominator === 1n ? numerator.toString() : `${numerator}/${denominator}`
}

function lowest(numerator: bigint, denominator: bigint): Fraction {
  let a = numerator
  let b = denominator
  while (b !== 0n) [a, b] = [b, a % b]
  return a === 0n ? { numerator, denominator } : { numerator: numerator / a, denominator: denominator / a }
}
