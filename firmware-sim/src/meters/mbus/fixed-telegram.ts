import { billingMonth, billingMonths, type EpochMs } from '@endeks/domain/time'
import type { MeterUnit } from '@endeks/domain/units'
import { mbus } from '@endeks/gateway/codec'
import type { Ailment } from '../../faults/index.js'
import type { SimulatedMeter } from '../meter.js'

const fixedCi = 0x73
const counterDigits = 8
/** The second counter is the first one's value at a fixed date. */
const sameButHistoric = 0x3e
/** EN 1434-3: 2 electricity and so on; what it does not know is 15. */
const media: Readonly<Record<string, number>> = { gas: 3, heat: 4, 'hot-water': 6, water: 7, 'cold-water': 7, 'waste-water': 7 }
const unknownMedium = 15

/** Unit codes come in ladders (EN 1434-3, table of units): the code of 10^0, and the powers that there are. */
const ladders: Readonly<Record<MeterUnit, { readonly unity: number; readonly least: number; readonly most: number }>> = {
  L: { unity: 0x29, least: -3, most: 5 },
  m3: { unity: 0x2c, least: -6, most: 2 },
  Wh: { unity: 0x02, least: 0, most: 8 },
  kWh: { unity: 0x05, least: -3, most: 5 },
  J: { unity: 0x08, least: 3, most: 11 },
  MJ: { unity: 0x0e, least: -3, most: 5 }
}

export function unsayableFixed({ unit, scaler, digits, mbus: options }: SimulatedMeter): string | undefined {
  const { least, most } = ladders[unit]
  if (digits > counterDigits) return `a counter of the fixed structure has ${counterDigits} digits`
  if (options?.key !== undefined) return 'the fixed structure is never encrypted'
  return scaler >= least && scaler <= most ? undefined : `no unit of the fixed structure says 10^${scaler} ${unit}`
}

export interface FixedTelegramOptions {
  readonly address: number
  readonly now: EpochMs
  readonly sentBefore: number
  /** flags of the status byte; its two lowest bits say here how counters are coded */
  readonly status: number
  readonly ailment?: Ailment
}

/** The fixed data structure (EN 1434-3): the index, and that of the latest month end, as eight BCD digits each. */
export function fixedTelegram(meter: SimulatedMeter, { address, now, sentBefore, status, ailment }: FixedTelegramOptions): Uint8Array {
  const medium = media[meter.medium] ?? unknownMedium
  const unit = ladders[meter.unit].unity + meter.scaler
  const monthEnd = billingMonths(1, now, meter.zone).map((month) => billingMonth(month, meter.zone).to)
  const counters = [now, ...monthEnd].map((at) => meter.indexAt(at))
  const data = Uint8Array.of(
    ...lowFirst(meter.identity.id),
    sentBefore & 0xff,
    status & 0xfc,
    unit | ((medium & 3) << 6),
    sameButHistoric | ((medium >> 2) << 6),
    ...counters.flatMap((index) => lowFirst(ailment?.lies.has('index') === true ? 'F'.repeat(counterDigits) : `${index}`))
  )
  return mbus.encodeLong(mbus.control.respondUserData, address, fixedCi, data)
}

function lowFirst(digits: string): number[] {
  return [...Buffer.from(digits.padStart(counterDigits, '0'), 'hex').reverse()]
}
