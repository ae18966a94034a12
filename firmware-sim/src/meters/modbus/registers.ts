import { type EpochMs, startOfDay } from '@endeks/domain/time'
import { Temporal } from 'temporal-polyfill'
import type { SimulatedMeter } from '../meter.js'

/** The logger's register map, base 0, all holding registers. */
export const registerMap = {
  /** the serial number in ASCII, padded with NUL */
  identity: { address: 0, count: 8 },
  /** the current index, 32 bits, high word first */
  index: { address: 16, count: 2 },
  /** month ends, the newest first: date as BCD (YYYY, MMDD) and index, 32 bits each; zeros where none was filed */
  monthEnds: { address: 256, entries: 24, stride: 4 }
} as const

/**
 * The registers that the meter has at this instant, or undefined when the range touches one that it has not. All values of one
 * answer are of one instant.
 */
export function readRegisters(meter: SimulatedMeter, address: number, count: number): number[] | undefined {
  const now = meter.clock.now()
  const { identity, index, monthEnds } = registerMap
  const blocks = [
    { address: identity.address, count: identity.count, words: () => textWords(meter.identity.id, identity.count) },
    { address: index.address, count: index.count, words: () => longWords(meter.indexAt(now)) },
    { address: monthEnds.address, count: monthEnds.entries * monthEnds.stride, words: () => monthEndWords(meter, now) }
  ]
  const block = blocks.find((each) => address >= each.address && address + count <= each.address + each.count)
  return block?.words().slice(address - block.address, address - block.address + count)
}

function monthEndWords(meter: SimulatedMeter, now: EpochMs): number[] {
  const month = Temporal.Instant.fromEpochMilliseconds(now).toZonedDateTimeISO(meter.zone).toPlainDate().toPlainYearMonth()
  return Array.from({ length: registerMap.monthEnds.entries }, (_, entry) => {
    const first = month.subtract({ months: entry }).toPlainDate({ day: 1 })
    const at = startOfDay(first, meter.zone)
    if (at < meter.startedAt) return [0, 0, 0, 0]
    const last = first.subtract({ days: 1 })
    return [bcd(last.year), bcd(last.month * 100 + last.day), ...longWords(meter.indexAt(at))]
  }).flat()
}

function bcd(value: number): number {
  return Number.parseInt(String(value), 16)
}

function longWords(value: bigint): number[] {
  return [Number((value >> 16n) & 0xffffn), Number(value & 0xffffn)]
}

function textWords(text: string, count: number): number[] {
  const bytes = Buffer.alloc(count * 2)
  bytes.write(text, 'latin1')
  return Array.from({ length: count }, (_, index) => bytes.readUInt16BE(index * 2))
}
