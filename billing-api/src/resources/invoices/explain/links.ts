import { createHash } from 'node:crypto'
import { isAppError } from '@endeks/domain/errors'
import { divideRounded } from '@endeks/domain/money'
import { isMeterUnit, rawToMilli } from '@endeks/domain/units'
import { hex, quantityOf } from '../../../wire.js'
import { tariffHash } from '../../tariffs/store.js'
import type { FrozenIndex, FrozenInput, FrozenRegister } from '../frozen.js'
import type { AccrualRow } from '../store/evidence.js'
import type { Link } from './price.js'

/** The tariff that is stored now is the one whose hash the accrual carries. */
export function tariffLink(accrual: AccrualRow): Link {
  const expected = hex(accrual.tariff_hash)
  const found = hashOrReason(accrual.document)
  return { link: 'tariff', ok: found === expected && hex(accrual.schedule_hash) === expected, expected, found }
}

function hashOrReason(document: unknown): string {
  try {
    return tariffHash(document)
  } catch (thrown) {
    if (isAppError(thrown)) return thrown.message
    throw thrown
  }
}

/** The frozen inputs are those that were hashed when the bill was made. */
export function inputLink(content: string, hash: Uint8Array): Link {
  const found = createHash('sha256').update(content, 'utf8').digest('hex')
  const expected = hex(hash)
  return { link: 'input', ok: found === expected, expected, found }
}

/** The accrual's consumption is the sum over the supplies of sign x share x segments; shares are fractions, rounded once at the end. */
export function consumptionLink(accrual: AccrualRow, frozen: FrozenInput): Link {
  let numerator = 0n
  let denominator = 1n
  for (const supply of frozen.supplies) {
    const [share = 0n, of = 1n] = supply.share.split('/').map(BigInt)
    const amount = supply.registers.reduce((sum, register) => sum + segmentSum(register), 0n)
    numerator = numerator * of + BigInt(supply.sign) * amount * share * denominator
    denominator *= of
  }
  const found = divideRounded(numerator, denominator)
  const text = (milli: bigint): string => {
    const { value, unit } = quantityOf(milli, frozen.unit)
    return `${value} ${unit}`
  }
  return {
    link: 'consumption',
    ok: found === accrual.consumption_milli && BigInt(frozen.consumption) === found,
    expected: text(accrual.consumption_milli),
    found: text(found)
  }
}

function segmentSum(register: FrozenRegister): bigint {
  return register.segments.reduce((sum, segment) => sum + BigInt(segment.amount), 0n)
}

/** Each register: closing minus opening is its amount, and its segments lead from the one to the other without a gap. */
export function indexLink(frozen: FrozenInput): Link {
  const problems: string[] = []
  const sums: string[] = []
  for (const register of frozen.supplies.flatMap((supply) => supply.registers)) {
    const { serial } = register.meter
    const amount = BigInt(register.amount)
    if (segmentSum(register) !== amount) problems.push(`${serial}: the segments do not add up to ${register.amount}`)
    if (!chains(register)) problems.push(`${serial}: the segments do not chain from the opening index to the closing one`)
    const turned = difference(register)
    if (turned === undefined) problems.push(`${serial}: the two indexes have no exact difference`)
    else if (turned !== amount && !rolledOver(register, amount - turned)) problems.push(`${serial}: closing minus opening is ${turned}`)
    const { value, unit } = quantityOf(amount, frozen.unit)
    sums.push(`${serial}: ${register.closing.raw} - ${register.opening.raw} = ${value} ${unit}`)
  }
  const expected = sums.join('; ')
  return { link: 'index', ok: problems.length === 0, expected, found: problems.length === 0 ? expected : problems.join('; ') }
}

function milliOf(index: Pick<FrozenIndex, 'raw' | 'scaler' | 'unit'>): bigint | undefined {
  return isMeterUnit(index.unit) ? rawToMilli(BigInt(index.raw), index.scaler, index.unit) : undefined
}

function difference({ opening, closing }: FrozenRegister): bigint | undefined {
  const from = milliOf(opening)
  const to = milliOf(closing)
  return from === undefined || to === undefined ? undefined : to - from
}

/** A counter that began again at zero lacks just one full turn: a power of ten of its least unit. */
function rolledOver({ opening }: FrozenRegister, lacking: bigint): boolean {
  for (let digits = 3; digits <= 18; digits += 1) {
    if (milliOf({ ...opening, raw: (10n ** BigInt(digits)).toString() }) === lacking) return true
  }
  return false
}

function chains({ opening, closing, segments }: FrozenRegister): boolean {
  const [first] = segments
  const last = segments.at(-1)
  if (first === undefined || last === undefined) return opening.at === closing.at && opening.raw === closing.raw
  if (first.from !== opening.at || first.fromRaw !== opening.raw || last.to !== closing.at || last.toRaw !== closing.raw) return false
  return segments.every((segment, index) => {
    const before = segments[index - 1]
    return before === undefined || (before.to === segment.from && before.toRaw === segment.fromRaw)
  })
}
