import { type EpochMs, startOfDay } from '@endeks/domain/time'
import { modbus } from '@endeks/gateway/codec'
import { Temporal } from 'temporal-polyfill'
import type { Ailment } from '../../faults/index.js'
import type { SimulatedMeter } from '../meter.js'
import type { MapName } from './options.js'

/** Registers that stand one behind the other; functions 1 and 2 have a bit in the place of each. */
interface Block {
  readonly function: modbus.ReadFunction
  readonly address: number
  readonly words: readonly number[]
}

interface Kind {
  /** All values are of one instant. */
  blocks(meter: SimulatedMeter, at: EpochMs, lies: Ailment['lies']): readonly Block[]
  /** Why these registers can't say what the meter shows, or undefined when they can. */
  unsayable(meter: SimulatedMeter): string | undefined
}

const serialWords = 8
const monthEnds = 24

/** The maps by name, addresses from 0; README.md has them as tables. */
export const maps: Readonly<Record<MapName, Kind>> = {
  logger: {
    blocks: (meter, at, lies) => [
      { function: 3, address: 0, words: textWords(meter.identity.id) },
      { function: 3, address: 16, words: whole(indexOf(meter, at, lies), 2) },
      { function: 3, address: 256, words: monthEndWords(meter, at, lies) }
    ],
    unsayable: (meter) => tooLong(meter, 9) ?? textTooLong(meter)
  },
  float: {
    blocks: (meter, at, lies) => [
      { function: 2, address: 0, words: Array.from({ length: 8 }, () => 0) },
      { function: 3, address: 0, words: textWords(meter.identity.id) },
      { function: 4, address: 0, words: floatWords(meter, at, lies) }
    ],
    // A float of 32 bits tells no more decimal digits apart.
    unsayable: (meter) => tooLong(meter, 7) ?? textTooLong(meter)
  },
  wide: {
    blocks: (meter, at, lies) => {
      const index = indexOf(meter, at, lies)
      const digits = index === undefined ? undefined : BigInt(`0x${index}`)
      const serial = whole(BigInt(meter.identity.id), 2)
      return [{ function: 3, address: 0, words: [...whole(index, 4), meter.scaler & 0xffff, ...serial, ...whole(digits, 4)] }]
    },
    unsayable: (meter) => {
      const numeric = /^\d{1,10}$/.test(meter.identity.id) && BigInt(meter.identity.id) <= 0xffff_ffffn
      return numeric ? undefined : 'its serial number is none of 32 bits'
    }
  }
}

/** @returns undefined when the range touches a register that the meter has not */
export function readRange(blocks: readonly Block[], { function: code, address, count }: modbus.ReadRange): readonly number[] | undefined {
  const block = blocks.find(
    (each) => each.function === code && address >= each.address && address + count <= each.address + each.words.length
  )
  return block?.words.slice(address - block.address, address - block.address + count)
}

/** @returns undefined for a dial that lies: all ones */
function indexOf(meter: SimulatedMeter, at: EpochMs, lies: Ailment['lies']): bigint | undefined {
  return lies.has('index') ? undefined : meter.indexAt(at)
}

function whole(value: bigint | undefined, count: number, orders: modbus.Orders = {}): number[] {
  return modbus.splitWords(value ?? (1n << BigInt(16 * count)) - 1n, count, orders)
}

/** The same float in all four orders of its bytes: ABCD, CDAB, BADC, DCBA. */
function floatWords(meter: SimulatedMeter, at: EpochMs, lies: Ailment['lies']): number[] {
  const index = indexOf(meter, at, lies)
  const bits = index === undefined ? undefined : floatBits(Number(`${index}e${meter.scaler}`))
  return (['big', 'little'] as const).flatMap((byteOrder) =>
    (['big', 'little'] as const).flatMap((wordOrder) => whole(bits, 2, { byteOrder, wordOrder }))
  )
}

function floatBits(value: number): bigint {
  const view = new DataView(new ArrayBuffer(4))
  view.setFloat32(0, value)
  return BigInt(view.getUint32(0))
}

/** The newest first, date as BCD (YYYY, MMDD) and index, two registers each; zeros where none was filed. */
function monthEndWords(meter: SimulatedMeter, now: EpochMs, lies: Ailment['lies']): number[] {
  const month = Temporal.Instant.fromEpochMilliseconds(now).toZonedDateTimeISO(meter.zone).toPlainDate().toPlainYearMonth()
  return Array.from({ length: monthEnds }, (_, entry) => {
    const first = month.subtract({ months: entry }).toPlainDate({ day: 1 })
    const at = startOfDay(first, meter.zone)
    if (at < meter.startedAt) return [0, 0, 0, 0]
    const last = first.subtract({ days: 1 })
    const day = lies.has('date') ? 231 : last.month * 100 + last.day
    return [bcd(last.year), bcd(day), ...whole(meter.indexAt(at), 2)]
  }).flat()
}

function bcd(value: number): number {
  return Number.parseInt(String(value), 16)
}

function textWords(text: string): number[] {
  const bytes = Buffer.alloc(serialWords * 2)
  bytes.write(text, 'latin1')
  return Array.from({ length: serialWords }, (_, index) => bytes.readUInt16BE(index * 2))
}

function tooLong(meter: SimulatedMeter, digits: number): string | undefined {
  return meter.digits > digits ? `digits is at most ${digits} with this map of registers` : undefined
}

function textTooLong(meter: SimulatedMeter): string | undefined {
  return meter.identity.id.length > serialWords * 2 ? `its serial number has more than ${serialWords * 2} characters` : undefined
}
