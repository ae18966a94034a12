/**
 * Splits `total` by `weights` so that the parts are whole multiples of `step` and add up to `total`: each part is rounded
 * down, the rest goes to the largest remainders, ties to the first. KDV of a document is shown per line this way.
 *
 * @param total a multiple of `step`
 * @param weights not negative; all zero gives everything to the first
 */
export function largestRemainder(total: bigint, weights: readonly bigint[], step: bigint): bigint[] {
  if (weights.length === 0) {
    if (total !== 0n) throw new RangeError('largestRemainder: nothing to give the total to')
    return []
  }
  const sum = weights.reduce((a, b) => a + b, 0n)
  if (sum === 0n) return weights.map((_, index) => (index === 0 ? total : 0n))
  const sign = total < 0n ? -1n : 1n
  const steps = (total * sign) / step
  const parts = weights.map((weight) => (steps * weight) / sum)
  const remainders = weights.map((weight, index) => ({ index, rest: (steps * weight) % sum }))
  let left = steps - parts.reduce((a, b) => a + b, 0n)
  remainders.sort((a, b) => (a.rest === b.rest ? a.index - b.index : a.rest > b.rest ? -1 : 1))
  for (const { index } of remainders) {
    if (left === 0n) break
    parts[index] = (parts[index] ?? 0n) + 1n
    left -= 1n
  }
  return parts.map((part) => part * step * sign)
}
