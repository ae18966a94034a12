import { billingMonth, billingMonths, type EpochMs, epochMs, toLocal } from '@endeks/domain/time'
import type { MeterUnit } from '@endeks/domain/units'
import { mbus } from '@endeks/gateway/codec'
import type { SimulatedMeter } from '../meter.js'

/** Month ends that a meter keeps, in storage numbers 1 (the latest) to 24. */
const keptMonths = 24

/** M-Bus knows no litres, kilowatt-hours and megajoules: a VIF says the same with another power of ten. */
const onWire: Readonly<Record<MeterUnit, { readonly quantity: string; readonly unit: string; readonly shift: number }>> = {
  m3: { quantity: 'volume', unit: 'm3', shift: 0 },
  L: { quantity: 'volume', unit: 'm3', shift: -3 },
  Wh: { quantity: 'energy', unit: 'Wh', shift: 0 },
  kWh: { quantity: 'energy', unit: 'Wh', shift: 3 },
  J: { quantity: 'energy', unit: 'J', shift: 0 },
  MJ: { quantity: 'energy', unit: 'J', shift: 6 }
}

/** Eight digits are what most meters send; a longer counter takes the next size, which is the last. */
const shortBcdDigits = 8
const longBcdDigits = 12

/** Why M-Bus can't say what this meter shows, or undefined when it can. */
export function unsayable(meter: SimulatedMeter): string | undefined {
  const { quantity, unit, shift } = onWire[meter.unit]
  if (!/^\d{8}$/.test(meter.identity.id)) return 'the serial number has to be eight digits'
  if (!/^[A-Z]{3}$/.test(meter.identity.manufacturer ?? '')) return 'the manufacturer has to be three letters'
  if (meter.digits > longBcdDigits) return `a dial has at most ${longBcdDigits} digits`
  return mbus.vifOf(quantity, unit, meter.scaler + shift) === undefined ? `no VIF says 10^${meter.scaler} ${meter.unit}` : undefined
}

/**
 * What the meter says at an instant, in as many frames as it takes: the index and the clock, then month ends with their
 * dates, the latest first. A date without a time stands for 24:00 of that day, so a month end carries its month's last day.
 *
 * @param access access number of the first frame; each further one has the next
 * @throws {RangeError} for a meter that is `unsayable`
 */
export function telegramsOf(meter: SimulatedMeter, address: number, now: EpochMs, access: number): readonly Uint8Array[] {
  const groups = [currentRecords(meter, now), ...monthEnds(meter, now)]
  const frames: mbus.EncodableRecord[][] = []
  let room = 0
  for (const group of groups) {
    const size = group.reduce((sum, record) => sum + mbus.encodeRecord(record).length, 0)
    if (size > room) {
      frames.push([])
      room = mbus.mostRecordBytes
    }
    frames.at(-1)?.push(...group)
    room -= size
  }
  return frames.map((records, index) =>
    mbus.encodeResponse({
      address,
      identity: { ...meter.identity, medium: meter.medium },
      access: access + index,
      status: 0,
      records,
      moreFollow: index < frames.length - 1
    })
  )
}

function currentRecords(meter: SimulatedMeter, now: EpochMs): mbus.EncodableRecord[] {
  const { offsetMinutes, ...clock } = toLocal(now, meter.zone)
  const date = { kind: 'date-time', ...clock, summer: isSummer(now, offsetMinutes, meter.zone) } as const
  return [
    {
      quantity: 'fabrication-number',
      unit: '',
      scaler: 0,
      value: { coding: 'bcd', size: 4, raw: BigInt(meter.identity.id) }
    },
    { quantity: 'time-point', unit: '', scaler: 0, value: { coding: 'date', date } },
    indexRecord(meter, now, 0)
  ]
}

function monthEnds(meter: SimulatedMeter, now: EpochMs): mbus.EncodableRecord[][] {
  const ended = billingMonths(keptMonths, now, meter.zone)
    .map((month) => ({ month, at: billingMonth(month, meter.zone).to }))
    .filter(({ at }) => at >= meter.startedAt && at <= now)
    .reverse()
  return ended.map(({ month, at }, index) => {
    const date = { kind: 'date', year: month.year, month: month.month, day: month.daysInMonth } as const
    const storage = index + 1
    return [indexRecord(meter, at, storage), { quantity: 'time-point', unit: '', scaler: 0, storage, value: { coding: 'date', date } }]
  })
}

function indexRecord(meter: SimulatedMeter, at: EpochMs, storage: number): mbus.EncodableRecord {
  const { quantity, unit, shift } = onWire[meter.unit]
  const size = meter.digits <= shortBcdDigits ? 4 : 6
  return { quantity, unit, scaler: meter.scaler + shift, storage, value: { coding: 'bcd', size, raw: meter.indexAt(at) } }
}

/** Summer time is what is ahead of the lesser of the year's two offsets. */
function isSummer(now: EpochMs, offsetMinutes: number, zone: string): boolean {
  const halfYearMs = 182 * 86_400_000
  return offsetMinutes > toLocal(epochMs(now - halfYearMs), zone).offsetMinutes
}
