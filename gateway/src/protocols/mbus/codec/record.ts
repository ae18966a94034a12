import { type Result, success } from '@endeks/domain/result'
import type { DecodeFailure } from '../../protocol.js'
import { type Decimal, dataFields, type RecordValue, readFixed, readVariable, reversedText, variableLength } from './data-field.js'
import { hexByte, refuse } from './failure.js'
import { durations, fbMeanings, fdMeanings, primaryMeanings, type VifMeaning } from './value-information.js'
import { extensionName, vifeMeaning } from './value-qualifier.js'

export const recordFunctions = ['instantaneous', 'maximum', 'minimum', 'error'] as const
export type RecordFunction = (typeof recordFunctions)[number] | 'manufacturer-specific' | 'more-records-follow'

/** One data record: which counter of the device it is, what it measures, and its value. */
export interface MbusRecord {
  readonly function: RecordFunction
  readonly storage: number
  readonly tariff: number
  readonly subunit: number
  readonly quantity: string
  readonly unit: string
  /** what makes it another quantity than the plain one: `uncorrected`, `backward-only`, `upper-limit` ... */
  readonly qualifiers: readonly string[]
  readonly value: RecordValue
  /** where its DIF stands in the frame */
  readonly offset: number
}

/** At most ten DIFE and ten VIFE a record (EN 13757-3:2018, 6.3.7 and 6.4.1). */
const mostExtensions = 10
const idleFiller = 0x2f
const manufacturerData = 0x0f
const moreRecords = 0x1f
const extensionBit = 0x80
const plainTextVif = 0x7c

/** Reads on from where it stands; every read past the end is the same failure. */
interface Cursor {
  readonly bytes: Uint8Array
  /** offset of `bytes` in the frame */
  readonly base: number
  position: number
}

interface RecordHead {
  readonly dif: number
  readonly storage: number
  readonly tariff: number
  readonly subunit: number
}

interface Meaning extends VifMeaning {
  readonly qualifiers: readonly string[]
  readonly invalid: boolean
  /** 10^n of the unit, added to the value */
  readonly offsets: readonly number[]
}

/** All records of a variable data block, the maker's own data as the last one. */
export function readRecords(bytes: Uint8Array, base: number): Result<readonly MbusRecord[], DecodeFailure> {
  const cursor: Cursor = { bytes, base, position: 0 }
  const records: MbusRecord[] = []
  while (cursor.position < bytes.length) {
    const dif = bytes[cursor.position] ?? 0
    if (dif === idleFiller) {
      cursor.position += 1
      continue
    }
    if (dif === manufacturerData || dif === moreRecords) {
      records.push(manufacturerRecord(dif, cursor))
      break
    }
    const record = readRecord(cursor)
    if (!record.ok) return record
    records.push(record.value)
  }
  return success(records)
}

/** Everything behind DIF 0F or 1F is the maker's; 1F says that another frame follows (EN 13757-3:2018, 6.3). */
function manufacturerRecord(dif: number, cursor: Cursor): MbusRecord {
  return {
    function: dif === moreRecords ? 'more-records-follow' : 'manufacturer-specific',
    storage: 0,
    tariff: 0,
    subunit: 0,
    quantity: 'manufacturer-specific',
    unit: '',
    qualifiers: [],
    value: { kind: 'bytes', bytes: cursor.bytes.subarray(cursor.position + 1) },
    offset: cursor.base + cursor.position
  }
}

function readRecord(cursor: Cursor): Result<MbusRecord, DecodeFailure> {
  const offset = cursor.base + cursor.position
  const head = readHead(cursor)
  if (!head.ok) return head
  const field = dataFields[head.value.dif & 0x0f]
  if (field === undefined || field.type === 'special')
    return refuse('MBUS_RECORD_RESERVED', `DIF ${hexByte(head.value.dif)} is reserved`, offset)
  const meaning = readMeaning(cursor)
  if (!meaning.ok) return meaning
  const { dif, ...address } = head.value
  const value = field.type === 'variable' ? takeVariable(cursor) : takeFixed(cursor, field, meaning.value)
  if (!value.ok) return value
  return success({
    function: recordFunctions[(dif >> 4) & 3] ?? 'instantaneous',
    ...address,
    quantity: meaning.value.quantity,
    unit: meaning.value.unit,
    qualifiers: meaning.value.qualifiers,
    value: applied(value.value, meaning.value),
    offset
  })
}

/** DIF and DIFEs: each DIFE adds four bits of storage number, two of tariff and one of subunit. */
function readHead(cursor: Cursor): Result<RecordHead, DecodeFailure> {
  const dif = take(cursor)
  if (!dif.ok) return dif
  let storage = (dif.value >> 6) & 1
  let tariff = 0
  let subunit = 0
  let extended = (dif.value & extensionBit) !== 0
  for (let count = 0; extended; count++) {
    if (count === mostExtensions)
      return refuse('MBUS_TOO_MANY_DIFE', `A record has more than ${mostExtensions} DIFE`, cursor.base + cursor.position)
    const dife = take(cursor)
    if (!dife.ok) return dife
    // Multiplication, for bit operators would cut the 41 bits of a storage number to 32.
    storage += (dife.value & 0x0f) * 2 ** (1 + 4 * count)
    tariff += ((dife.value >> 4) & 3) * 4 ** count
    subunit += ((dife.value >> 6) & 1) * 2 ** count
    extended = (dife.value & extensionBit) !== 0
  }
  return success({ dif: dif.value, storage, tariff, subunit })
}

function readMeaning(cursor: Cursor): Result<Meaning, DecodeFailure> {
  const vif = take(cursor)
  if (!vif.ok) return vif
  let count = 0
  let extended = (vif.value & extensionBit) !== 0
  let meaning: VifMeaning
  if (vif.value === 0xfb || vif.value === 0xfd) {
    const code = take(cursor)
    if (!code.ok) return code
    count += 1
    extended = (code.value & extensionBit) !== 0
    const table = vif.value === 0xfd ? fdMeanings : fbMeanings
    meaning = table[code.value & 0x7f] ?? unnamed(`vif-${hexByte(vif.value)}-${hexByte(code.value & 0x7f)}`)
  } else if ((vif.value & 0x7f) === plainTextVif) {
    const text = takePlainText(cursor)
    if (!text.ok) return text
    meaning = unnamed(text.value)
  } else {
    meaning = primaryMeanings[vif.value & 0x7f] ?? unnamed(`vif-${hexByte(vif.value & 0x7f)}`)
  }
  const codes: number[] = []
  while (extended) {
    if (count === mostExtensions)
      return refuse('MBUS_TOO_MANY_VIFE', `A record has more than ${mostExtensions} VIFE`, cursor.base + cursor.position)
    const vife = take(cursor)
    if (!vife.ok) return vife
    count += 1
    codes.push(vife.value & 0x7f)
    extended = (vife.value & extensionBit) !== 0
  }
  // A VIF that is the maker's own makes the VIFEs so too.
  return success((vif.value & 0x7f) === 0x7f ? { ...meaning, ...plain } : qualify(meaning, codes))
}

const plain = { qualifiers: [], invalid: false, offsets: [] } as const satisfies Partial<Meaning>

function unnamed(quantity: string): VifMeaning {
  return { quantity, unit: '', scaler: 0, times: 1n, coding: 'number' }
}

/** Applies the VIFEs to the value information, in their order. */
function qualify(base: VifMeaning, codes: readonly number[]): Meaning {
  let meaning: VifMeaning = base
  let invalid = false
  const qualifiers: string[] = []
  const offsets: number[] = []
  for (let index = 0; index < codes.length; index++) {
    const step = vifeMeaning(codes[index] ?? 0)
    if (step.kind === 'manufacturer') {
      qualifiers.push('manufacturer-specific')
      break
    }
    if (step.kind === 'scale') meaning = { ...meaning, scaler: meaning.scaler + step.exponent }
    else if (step.kind === 'offset') offsets.push(step.exponent)
    else if (step.kind === 'extension') {
      index += 1
      qualifiers.push(extensionName(codes[index] ?? 0))
    } else {
      if (step.name !== '') qualifiers.push(step.name)
      if (step.kind === 'invalid') invalid = true
      if (step.kind === 'date') meaning = { ...meaning, unit: '', scaler: 0, times: 1n, coding: 'date' }
      if (step.kind === 'duration') meaning = { ...meaning, ...durationOf(step.step) }
    }
  }
  return { ...meaning, qualifiers, invalid, offsets }
}

function durationOf(step: number): Pick<VifMeaning, 'unit' | 'scaler' | 'times' | 'coding'> {
  const duration = durations[step] ?? durations[0]
  return { unit: duration.unit, scaler: 0, times: duration.times, coding: 'number' }
}

/** Raw data as the value that they stand for. */
function applied(value: RecordValue, meaning: Meaning): RecordValue {
  if (value.kind !== 'decimal') return value
  if (meaning.invalid) return { kind: 'none' }
  const exact = appliedDecimal(value, meaning)
  return { kind: 'decimal', ...exact, ...(value.shortest === undefined ? {} : { shortest: appliedDecimal(value.shortest, meaning) }) }
}

function appliedDecimal(value: Decimal, meaning: Meaning): Decimal {
  let raw = value.raw * meaning.times
  let scaler = value.scaler + meaning.scaler
  for (const exponent of meaning.offsets) {
    const finest = Math.min(scaler, exponent)
    raw = raw * 10n ** BigInt(scaler - finest) + 10n ** BigInt(exponent - finest)
    scaler = finest
  }
  return { raw, scaler }
}

function take(cursor: Cursor): Result<number, DecodeFailure> {
  const byte = cursor.bytes[cursor.position]
  if (byte === undefined) return truncated(cursor)
  cursor.position += 1
  return success(byte)
}

function takeBytes(cursor: Cursor, size: number): Result<Uint8Array, DecodeFailure> {
  const end = cursor.position + size
  if (end > cursor.bytes.length) return truncated(cursor)
  const bytes = cursor.bytes.subarray(cursor.position, end)
  cursor.position = end
  return success(bytes)
}

/** Length and text stand right behind the VIF, before any VIFE (EN 13757-3:2018, 6.4.3). */
function takePlainText(cursor: Cursor): Result<string, DecodeFailure> {
  const length = take(cursor)
  if (!length.ok) return length
  const bytes = takeBytes(cursor, length.value)
  return bytes.ok ? success(reversedText(bytes.value)) : bytes
}

function takeFixed(cursor: Cursor, field: (typeof dataFields)[number], meaning: Meaning): Result<RecordValue, DecodeFailure> {
  const bytes = takeBytes(cursor, field.size)
  return bytes.ok ? success(readFixed(field.type, bytes.value, meaning.coding)) : bytes
}

function takeVariable(cursor: Cursor): Result<RecordValue, DecodeFailure> {
  const at = cursor.base + cursor.position
  const lvar = take(cursor)
  if (!lvar.ok) return lvar
  const length = variableLength(lvar.value)
  if (length === undefined) return refuse('MBUS_RECORD_RESERVED', `LVAR ${hexByte(lvar.value)} is reserved`, at)
  const bytes = takeBytes(cursor, length.size)
  return bytes.ok ? success(readVariable(length.type, bytes.value)) : bytes
}

function truncated(cursor: Cursor): Result<never, DecodeFailure> {
  return refuse('MBUS_RECORD_TRUNCATED', 'The data end in the middle of a record', cursor.base + cursor.bytes.length)
}
