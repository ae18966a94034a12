import type { RateInput } from '@endeks/rating/tariff'

/** Thousandths of a litre in a cubic metre, and the denominator of quantity times rate in micro. */
const milliOfM3 = 1_000_000n
const kurusDenominator = 1_000_000_000n * 10_000n

/** The household tariff by hand: 13 and 20 m3 for thirty days, cut to the litre; prices in nano. */
const cuts = Array.from({ length: 32 }, (_, days) => [cut(13n, BigInt(days)), cut(20n, BigInt(days))] as const)
const first = 14_610_000_000n
const second = 21_950_000_000n
const third = 34_200_000_000n

function cut(bound: bigint, days: bigint): bigint {
  return ((2n * bound * days * 1_000n + 30n) / 60n) * (milliOfM3 / 1_000n)
}

/**
 * The least that the total of a bill costs: the tiers, a third of them, the fixed amount and KDV at two rates, each rounded once,
 * in bigint, for this one tariff. No components, no slices, no lines, nothing that could be explained afterwards.
 */
function total(milli: bigint, days: number): bigint {
  const [low, high] = cuts[days] ?? [0n, 0n]
  let numerator = 0n
  if (milli <= low) numerator = milli * first
  else if (milli <= high) numerator = low * first + (milli - low) * second
  else numerator = low * first + (high - low) * second + (milli - high) * third
  const water = (2n * numerator + kurusDenominator) / (2n * kurusDenominator)
  const wastewater = (2n * numerator + 3n * kurusDenominator) / (6n * kurusDenominator)
  const maintenance = (2n * 1_850n * BigInt(days) + 30n) / 60n
  const tax = (2n * water + 100n) / 200n + (2n * 20n * (wastewater + maintenance) + 100n) / 200n
  return (water + wastewater + maintenance + tax) * 10_000n
}

export function addAll(inputs: readonly RateInput[]): (count: number) => bigint {
  return (count) => {
    let sum = 0n
    for (let bill = 0; bill < count; bill += 1) {
      const input = inputs[bill % inputs.length]
      if (input !== undefined && 'from' in input.period) sum += total(input.consumption.milli, input.period.to - input.period.from)
    }
    return sum
  }
}
