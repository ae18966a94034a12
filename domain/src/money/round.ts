/** One kuruş, cent or penny in micro of the currency: the least amount that a document or posting may carry. */
export const minorUnitMicro = 10_000n

/**
 * The one rounding of this product: half up, that is half away from zero, so that a credit mirrors its charge.
 *
 * @param denominator not zero
 */
export function divideRounded(numerator: bigint, denominator: bigint): bigint {
  if (denominator === 0n) throw new RangeError('divideRounded: the denominator is zero')
  const negative = numerator < 0n !== denominator < 0n
  const n = numerator < 0n ? -numerator : numerator
  const d = denominator < 0n ? -denominator : denominator
  const rounded = (2n * n + d) / (2n * d)
  return negative ? -rounded : rounded
}

/** An amount in micro, rounded half up to whole kuruş. */
export function roundToMinor(micro: bigint): bigint {
  return divideRounded(micro, minorUnitMicro) * minorUnitMicro
}
