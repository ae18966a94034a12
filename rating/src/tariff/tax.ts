import { divideRounded, largestRemainder, minorUnitMicro } from '@endeks/domain/money'

/** The KDV of a document at one rate. */
export interface Tax {
  readonly rateNano: bigint
  /** Sum of the rounded lines at this rate. */
  readonly baseMicro: bigint
  readonly taxMicro: bigint
}

interface TaxedLine {
  readonly kdvRateNano: bigint
  readonly netMicro: bigint
}

const oneNano = 1_000_000_000n

/**
 * KDV per rate on the sum of the document's rounded lines, half up, and each line's part of it, whose sum is the document's.
 * Classes that bear the same rate on this day are one row of the document.
 */
export function taxOf(lines: readonly TaxedLine[]): { readonly perLine: readonly bigint[]; readonly taxes: readonly Tax[] } {
  const members = new Map<bigint, number[]>()
  for (const [index, line] of lines.entries()) {
    const known = members.get(line.kdvRateNano)
    if (known === undefined) members.set(line.kdvRateNano, [index])
    else known.push(index)
  }
  const perLine = new Array<bigint>(lines.length).fill(0n)
  const taxes: Tax[] = []
  for (const [rateNano, indexes] of members) {
    const nets = indexes.map((index) => lines[index]?.netMicro ?? 0n)
    const baseMicro = nets.reduce((sum, net) => sum + net, 0n)
    const taxMicro = taxAt(rateNano, baseMicro)
    const parts = shareTax(taxMicro, rateNano, nets)
    for (const [at, index] of indexes.entries()) perLine[index] = parts[at] ?? 0n
    taxes.push({ rateNano, baseMicro, taxMicro })
  }
  taxes.sort((a, b) => (a.rateNano < b.rateNano ? -1 : a.rateNano > b.rateNano ? 1 : 0))
  return { perLine, taxes }
}

function taxAt(rateNano: bigint, baseMicro: bigint): bigint {
  return divideRounded(baseMicro * rateNano, oneNano * minorUnitMicro) * minorUnitMicro
}

/**
 * A deduction (a maximum, a settled minimum) bears its own rounded KDV below zero, because a remainder has no meaning between
 * amounts of two signs; the lines above zero share the rest.
 */
function shareTax(taxMicro: bigint, rateNano: bigint, nets: readonly bigint[]): bigint[] {
  if (nets.length === 1) return [taxMicro]
  if (nets.every((net) => net >= 0n)) return largestRemainder(taxMicro, nets, minorUnitMicro)
  const above = nets.map((net) => (net > 0n ? net : 0n))
  if (above.every((net) => net === 0n)) {
    return largestRemainder(
      taxMicro,
      nets.map((net) => -net),
      minorUnitMicro
    )
  }
  const below = nets.map((net) => (net < 0n ? taxAt(rateNano, net) : 0n))
  const rest = below.reduce((left, part) => left - part, taxMicro)
  return largestRemainder(rest, above, minorUnitMicro).map((part, index) => part + (below[index] ?? 0n))
}
