import { billingMonth, billingMonths, type EpochMs, epochMs, toLocal } from '@endeks/domain/time'
import type { MeterUnit } from '@endeks/domain/units'
import { mbus } from '@endeks/gateway/codec'
import type { Ailment } from '../../faults/index.js'
import type { SimulatedMeter } from '../meter.js'
import { fixedTelegram, unsayableFixed } from './fixed-telegram.js'
import type { MbusMeterOptions } from './options.js'

/** Month ends that a meter keeps, in storage numbers 1 (the latest) to 24. */
const keptMonths = 24
/** Simple billing: the index of now and that of the latest month end. */
const billedMonths = 1

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
/** CI 70: an application error without a header (EN 13757-7:2018). */
const applicationErrorCi = 0x70

/** What a master asks for by an application reset: the index alone, with the latest month end, or with all of them. */
export type View = 'current' | 'billing' | 'all'

export interface TelegramOptions {
  readonly address: number
  readonly now: EpochMs
  /** telegrams of this meter before these: the access number, and the counter of mode 7, follow from it */
  readonly sentBefore: number
  readonly view: View
  readonly ailment?: Ailment
}

const statusBits = { busy: 1, 'application-error': 2, 'low-battery': 4, 'permanent-error': 8, 'temporary-error': 16 } as const

/** Why M-Bus can't say what this meter shows, or undefined when it can. */
export function unsayable(meter: SimulatedMeter): string | undefined {
  const { quantity, unit, shift } = onWire[meter.unit]
  if (!/^\d{8}$/.test(meter.identity.id)) return 'the serial number has to be eight digits'
  if (!/^[A-Z]{3}$/.test(meter.identity.manufacturer ?? '')) return 'the manufacturer has to be three letters'
  if (meter.mbus?.structure === 'fixed') return unsayableFixed(meter)
  if (meter.digits > longBcdDigits) return `a dial has at most ${longBcdDigits} digits`
  return mbus.vifOf(quantity, unit, meter.scaler + shift) === undefined ? `no VIF says 10^${meter.scaler} ${meter.unit}` : undefined
}

/**
 * What the meter says at an instant, in as many frames as it takes: the index and the clock, then month ends with their
 * dates, the latest first. A date without a time stands for 24:00 of that day, so a month end carries its month's last day.
 *
 * @throws {RangeError} for a meter that is `unsayable`
 */
export function telegramsOf(meter: SimulatedMeter, options: TelegramOptions): readonly Uint8Array[] {
  const status = (meter.mbus?.status ?? []).reduce((bits, flag) => bits | statusBits[flag], 0)
  if (meter.mbus?.structure === 'fixed') return [fixedTelegram(meter, { ...options, status })]
  const frames = framesOf(meter, options)
  return frames.map((records, index) => {
    const count = options.sentBefore + index
    const security = securityOf(meter.mbus ?? {}, count, options.ailment?.wrongKey ?? false)
    return mbus.encodeResponse({
      address: options.address,
      identity: { ...meter.identity, medium: meter.medium },
      access: count & 0xff,
      status,
      records,
      moreFollow: index < frames.length - 1,
      ...(security === undefined ? {} : { security })
    })
  })
}

/** An answer that is an error of the application and nothing else (EN 13757-3:2013, 4.6). */
export function applicationErrorOf(address: number, code: number): Uint8Array {
  return mbus.encodeLong(mbus.control.respondUserData, address, applicationErrorCi, Uint8Array.of(code))
}

function framesOf(meter: SimulatedMeter, options: TelegramOptions): readonly (readonly mbus.EncodableRecord[])[] {
  const { view, now, ailment } = options
  const kept = meter.mbus?.months ?? keptMonths
  const months = view === 'current' ? 0 : view === 'billing' ? Math.min(billedMonths, kept) : kept
  const groups = [currentRecords(meter, now), ...monthEnds(meter, now, months)].map((records) => lied(records, ailment))
  const mostMonths = meter.mbus?.monthsPerFrame ?? keptMonths
  const mostBytes = mbus.mostRecordBytesOf(securityOf(meter.mbus ?? {}, 0, false))
  const frames: mbus.EncodableRecord[][] = [[]]
  let [room, monthsLeft] = [mostBytes, mostMonths + 1]
  for (const group of groups) {
    const size = group.reduce((sum, record) => sum + mbus.encodeRecord(record).length, 0)
    if (size > room || monthsLeft === 0) {
      frames.push([])
      ;[room, monthsLeft] = [mostBytes, mostMonths]
    }
    frames.at(-1)?.push(...group)
    room -= size
    monthsLeft--
  }
  return frames
}

/** A key that is wrong has all bits of the right one turned over. */
function securityOf({ key, mode = 5 }: MbusMeterOptions, counter: number, wrong: boolean): mbus.ResponseSecurity | undefined {
  if (key === undefined) return undefined
  const bytes = Uint8Array.from(Buffer.from(key, 'hex'), (byte) => (wrong ? ~byte : byte))
  return mode === 5 ? { mode, key: bytes } : { mode, key: bytes, counter }
}

/** 31 February for every date of a day, Fs for every index. */
function lied(records: readonly mbus.EncodableRecord[], ailment: Ailment | undefined): readonly mbus.EncodableRecord[] {
  if (ailment === undefined || ailment.lies.size === 0) return records
  return records.map((record) => {
    const { value } = record
    if (ailment.lies.has('date') && value.coding === 'date' && value.date.kind === 'date')
      return { ...record, value: { ...value, date: { ...value.date, month: 2, day: 31 } } }
    if (ailment.lies.has('index') && value.coding === 'bcd' && record.quantity !== 'fabrication-number')
      return { ...record, value: { coding: 'invalid-bcd', size: value.size } }
    return record
  })
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

function monthEnds(meter: SimulatedMeter, now: EpochMs, most: number): mbus.EncodableRecord[][] {
  const ended = billingMonths(keptMonths, now, meter.zone)
    .map((month) => ({ month, at: billingMonth(month, meter.zone).to }))
    .filter(({ at }) => at >= meter.startedAt && at <= now)
    .reverse()
    .slice(0, most)
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
