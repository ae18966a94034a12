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
  const perLine = new Array<bigint>(lines.length).fill(0n)
  const taxes = groupByRate(lines).map(({ rateNano, members, nets, baseMicro }): Tax => {
    const taxMicro = taxAt(rateNano, baseMicro)
    const parts = shareTax(taxMicro, rateNano, nets)
    for (let at = 0; at < members.length; at++) perLine[members[at] ?? 0] = parts[at] ?? 0n
    return { rateNano, baseMicro, taxMicro }
  })
  if (taxes.length > 1) taxes.sort((a, b) => (a.rateNano < b.rateNano ? -1 : a.rateNano > b.rateNano ? 1 : 0))
  return { perLine, taxes }
}

interface RateGroup {
  readonly rateNano: bigint
  readonly members: number[]
  readonly nets: bigint[]
  baseMicro: bigint
}

/** A bill has two or three rates: looking through them is several times cheaper than a map keyed by bigint. */
function groupByRate(lines: readonly TaxedLine[]): RateGroup[] {
  const groups: RateGroup[] = []
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index]
    if (line === undefined) continue
    const known = groups.find((group) => group.rateNano === line.kdvRateNano)
    if (known === undefined) {
      groups.push({ rateNano: line.kdvRateNano, members: [index], nets: [line.netMicro], baseMicro: line.netMicro })
    } else {
      known.members.push(index)
      known.nets.push(line.netMicro)
      known.baseMicro += line.netMicro
    }
  }
  return groups
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
