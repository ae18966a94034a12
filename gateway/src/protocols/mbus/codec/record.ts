import { type Result, success } from '@endeks/domain/result'
import type { DecodeFailure } from '../../protocol.js'
import { type Decimal, type FieldType, powerOfTen, type RecordValue, readData, shortestDecimal } from './data-field.js'
import { refuse } from './failure.js'
import { type Meaning, unnamed } from './meaning.js'
import { RecordScanner } from './scanner.js'

export const recordFunctions = ['instantaneous', 'maximum', 'minimum', 'error'] as const
export type RecordFunction = (typeof recordFunctions)[number] | 'manufacturer-specific' | 'more-records-follow'

const idleFiller = 0x2f
const manufacturerData = 0x0f
const moreRecords = 0x1f
const manufacturerMeaning = unnamed('manufacturer-specific')

/** Where a record stands among those of its device. */
export interface RecordPlace {
  readonly function: RecordFunction
  readonly storage: number
  readonly tariff: number
  readonly subunit: number
  /** where its DIF stands in the frame */
  readonly offset: number
}

/** One data record: which counter of the device it is, what it measures, and its value, which is worked out when asked for. */
export class MbusRecord implements RecordPlace {
  readonly function: RecordFunction
  readonly storage: number
  readonly tariff: number
  readonly subunit: number
  readonly offset: number
  readonly #meaning: Meaning
  readonly #type: FieldType
  readonly #data: Uint8Array

  constructor(place: RecordPlace, meaning: Meaning, type: FieldType, data: Uint8Array) {
    this.function = place.function
    this.storage = place.storage
    this.tariff = place.tariff
    this.subunit = place.subunit
    this.offset = place.offset
    this.#meaning = meaning
    this.#type = type
    this.#data = data
  }

  get quantity(): string {
    return this.#meaning.quantity
  }

  get unit(): string {
    return this.#meaning.unit
  }

  /** what makes it another quantity than the plain one: `uncorrected`, `backward-only`, `upper-limit` ... */
  get qualifiers(): readonly string[] {
    return this.#meaning.qualifiers
  }

  get value(): RecordValue {
    const value = readData(this.#type, this.#data, this.#meaning.coding)
    if (value.kind !== 'decimal') return value
    return this.#meaning.invalid ? { kind: 'none' } : applied(value.raw, value.scaler, this.#meaning)
  }

  /**
   * The value as an index: exact, save that a floating point number is the shortest decimal of the same bits, which has no more
   * digits than the meter's firmware meant.
   */
  get index(): Decimal | undefined {
    const value = this.value
    if (value.kind !== 'decimal' || this.#type !== 'real') return value.kind === 'decimal' ? value : undefined
    const { raw, scaler } = shortestDecimal(this.#data)
    return applied(raw, scaler, this.#meaning)
  }
}

/**
 * All records of a variable data block, the maker's own data as the last one.
 *
 * @param highByteFirst the data of mode 2 (CI 76), where a number's high byte comes first
 */
export function readRecords(bytes: Uint8Array, base: number, highByteFirst = false): Result<readonly MbusRecord[], DecodeFailure> {
  const scanner = new RecordScanner(bytes, base)
  const records: MbusRecord[] = []
  while (scanner.position < bytes.length) {
    const start = scanner.position
    const dif = bytes[start] ?? 0
    if (dif === idleFiller) {
      scanner.position += 1
      continue
    }
    if (dif === manufacturerData || dif === moreRecords) {
      records.push(manufacturerRecord(dif, bytes.subarray(start + 1), base + start))
      break
    }
    if (!scanner.read()) return scanner.failed ?? success(records)
    const place = {
      function: recordFunctions[(scanner.dif >> 4) & 3] ?? 'instantaneous',
      storage: scanner.storage,
      tariff: scanner.tariff,
      subunit: scanner.subunit,
      offset: base + start
    }
    const data = bytes.subarray(scanner.dataStart, scanner.dataStart + scanner.dataSize)
    records.push(new MbusRecord(place, scanner.meaning, scanner.fieldType, highByteFirst ? data.toReversed() : data))
  }
  return success(records)
}

const alarmMeaning: Meaning = { ...unnamed('alarm-status'), coding: 'unsigned' }

/** What a meter says to a request for class 1 data: one byte, whose bits are the maker's (EN 13757-3:2018, alarm report). */
export function readAlarm(bytes: Uint8Array, offset: number): Result<readonly MbusRecord[], DecodeFailure> {
  if (bytes.length === 0) return refuse('MBUS_RECORD_TRUNCATED', 'The alarm report has no status byte', offset)
  return success([
    new MbusRecord({ function: 'instantaneous', storage: 0, tariff: 0, subunit: 0, offset }, alarmMeaning, 'integer', bytes.subarray(0, 1))
  ])
}

/** Everything behind DIF 0F or 1F is the maker's; 1F says that another frame follows (EN 13757-3:2018, 6.3). */
function manufacturerRecord(dif: number, data: Uint8Array, offset: number): MbusRecord {
  const kind = dif === moreRecords ? 'more-records-follow' : 'manufacturer-specific'
  return new MbusRecord({ function: kind, storage: 0, tariff: 0, subunit: 0, offset }, manufacturerMeaning, 'bytes', data)
}

/** Raw data as the value that they stand for. */
function applied(data: bigint, power: number, meaning: Meaning): Decimal & { readonly kind: 'decimal' } {
  let raw = meaning.times === 1n ? data : data * meaning.times
  let scaler = power + meaning.scaler
  for (const exponent of meaning.offsets) {
    const finest = Math.min(scaler, exponent)
    raw = raw * powerOfTen(scaler - finest) + powerOfTen(exponent - finest)
    scaler = finest
  }
  return { kind: 'decimal', raw, scaler }
}
