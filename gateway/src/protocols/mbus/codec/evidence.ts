import { type DeviceIdentity, formatIdentity, type MeterReading, obis, statusBits } from '@endeks/domain/metering'
import { type Result, success } from '@endeks/domain/result'
import type { EpochMs } from '@endeks/domain/time'
import { isMeterUnit } from '@endeks/domain/units'
import type { DecodeFailure, Evidence, MeterReadout } from '../../protocol.js'
import { instantOf } from './clock.js'
import { hexText, refuse } from './failure.js'
import { storedAtFixedDate } from './fixed-structure.js'
import { splitFrames } from './frame.js'
import { statusFlags } from './header.js'
import { isMbusProfile, type MbusRegister } from './profile.js'
import type { MbusRecord } from './record.js'
import { type MbusResponse, readResponse } from './response.js'
import { valueText } from './value-text.js'

/** Frames of one conversation: acknowledgements and answers. A driver asks for at most 16 answers. */
const mostFrames = 64
/** So many records tell whose profile this is not. */
const mostOffered = 16

/** The indexes that a conversation's answers hold for the registers of its profile. */
export function decodeEvidence(evidence: Evidence): Result<MeterReadout, DecodeFailure> {
  const { profile } = evidence
  if (!isMbusProfile(profile)) return refuse('MBUS_PROFILE', 'The profile is not one for M-Bus')
  const responses = readResponses(evidence.response, evidence.keys?.secrets.encryption)
  if (!responses.ok) return responses
  if (responses.value.length === 0) return refuse('MBUS_NO_RESPONSE', 'No frame carries data of a meter', evidence.response.length)
  const identity = responses.value.find((response) => response.identity !== undefined)?.identity
  if (identity === undefined) return refuse('MBUS_NO_IDENTITY', 'No frame names its meter, so that its indexes could be anyone’s')
  const records = responses.value.flatMap((response) => response.records)
  const status = responses.value.reduce((bits, response) => bits | statusOf(response.status), 0)
  const dates = storedDates(records, evidence.zone)
  const readings = new Map<string, MeterReading>()
  const valueless = new Map<string, DecodeFailure>()
  for (const register of profile.registers)
    for (const record of records) {
      if (!isRecordOf(register, record)) continue
      const at = record.storage === 0 ? evidence.at : dates.get(record.storage)
      if (at === undefined) continue
      const key = `${register.obis} ${at}`
      const reading = readingOf(register, record, { at, status })
      // Some meters give one counter twice, in two resolutions or again in a later frame: the first one is the register.
      if (reading !== undefined && !readings.has(key)) readings.set(key, reading)
      else if (record.value.kind === 'invalid') valueless.set(key, noValue(register, record))
    }
  const refused = [...impossibleDates(records), ...[...valueless].filter(([key]) => !readings.has(key)).map(([, each]) => each)]
  const told = refused.length === 0 ? {} : { refused: refused.slice(0, mostOffered) }
  if (readings.size === 0) return success({ identity, readings: [], offered: records.slice(0, mostOffered).map(inWords), ...told })
  return success({ identity, readings: [...readings.values()], ...told })
}

function noValue(register: MbusRegister, record: MbusRecord): DecodeFailure {
  return { code: 'MBUS_NO_VALUE', message: `${register.obis} is not a number: ${inWords(record)}` }
}

/** Time points of stored values that no calendar has. All zeros or all ones is how a meter says that it has stored nothing yet. */
function impossibleDates(records: readonly MbusRecord[]): DecodeFailure[] {
  return records
    .filter(({ quantity, storage, value }) => quantity === 'time-point' && storage !== 0 && value.kind === 'invalid')
    .filter(({ value }) => value.kind === 'invalid' && value.bytes.some((byte) => byte !== 0 && byte !== 0xff))
    .map((record) => ({ code: 'MBUS_DATE', message: `what was stored under it has no day: ${inWords(record)}` }))
}

/** A record as a profile's register would have to name it, and that it has no value where it has none. */
export function inWords(record: MbusRecord): string {
  const { quantity, unit, function: kind, storage, tariff, subunit, qualifiers, value } = record
  const words = [quantity, unit, kind, `storage ${storage} tariff ${tariff} subunit ${subunit}`, ...qualifiers]
  if (value.kind === 'invalid') words.push(`without a value (${hexText(value.bytes)})`)
  return words.filter((word) => word !== '').join(' ')
}

/** As `inWords`, and what it says, to be compared with a display. */
export function withValue(record: MbusRecord): string {
  const text = record.value.kind === 'invalid' ? null : valueText(record.value)
  return text === null ? inWords(record) : `${inWords(record)} = ${text}`
}

/** Every answer of a conversation. All must come from one device, else its indexes would be another's. */
export function readResponses(bytes: Uint8Array, key?: Uint8Array): Result<readonly MbusResponse[], DecodeFailure> {
  const frames = splitFrames(bytes, mostFrames)
  if (!frames.ok) return frames
  const responses: MbusResponse[] = []
  let identity: DeviceIdentity | undefined
  for (const frame of frames.value) {
    if (frame.type !== 'long') continue
    const response = readResponse(frame, key)
    if (!response.ok) return response
    const named = response.value.identity
    identity ??= named
    if (identity !== undefined && named !== undefined && !sameDevice(identity, named))
      return refuse(
        'MBUS_IDENTITY_CHANGED',
        `${formatIdentity(named)} went on where ${formatIdentity(identity)} had begun`,
        frame.dataOffset
      )
    responses.push(response.value)
  }
  return success(responses)
}

export function sameDevice(one: DeviceIdentity, other: DeviceIdentity): boolean {
  return one.id === other.id && one.manufacturer === other.manufacturer && one.version === other.version && one.medium === other.medium
}

/**
 * Whether the answers hold all that the profile wants of storage number 0, so that nothing more need be asked for it. What has no
 * value may come once more, in a later frame, with one.
 */
export function holdsCurrent(profile: unknown, responses: readonly MbusResponse[]): boolean {
  if (!isMbusProfile(profile)) return false
  const records = responses.flatMap((response) => response.records)
  return profile.registers.every(
    (register) => register.storage === 'stored' || records.some((record) => isRecordOf(register, record) && record.index !== undefined)
  )
}

export function isRecordOf(register: MbusRegister, record: MbusRecord): boolean {
  const wanted = register.qualifiers ?? []
  return (
    record.quantity === register.quantity &&
    record.function === register.function &&
    record.tariff === register.tariff &&
    record.subunit === register.subunit &&
    (record.storage === 0) === (register.storage === 'current') &&
    record.qualifiers.length === wanted.length &&
    record.qualifiers.every((qualifier) => wanted.includes(qualifier))
  )
}

/**
 * The instant of each storage number: its time point, preferably one with a time. Storage numbers whose date is missing, not
 * valid or given twice differently have none, for nobody could tell when their values were stored.
 */
function storedDates(records: readonly MbusRecord[], zone: string): ReadonlyMap<number, EpochMs> {
  const found = new Map<number, { readonly exact: boolean; readonly at: EpochMs | undefined }>()
  for (const record of records) {
    const { storage, quantity, function: kind, qualifiers, tariff, subunit } = record
    const general = quantity === 'time-point' && kind === 'instantaneous' && qualifiers.length === 0 && tariff === 0 && subunit === 0
    if (!general || storage === 0) continue
    const { value } = record
    if (value.kind !== 'date') continue
    const entry = { exact: value.date.kind === 'date-time', at: instantOf(value.date, zone) }
    const before = found.get(storage)
    if (before === undefined || (entry.exact && !before.exact)) found.set(storage, entry)
    else if (before.exact === entry.exact && before.at !== entry.at) found.set(storage, { exact: entry.exact, at: undefined })
  }
  const instants = new Map<number, EpochMs>()
  for (const [storage, { at }] of found) if (at !== undefined) instants.set(storage, at)
  return instants
}

function readingOf(
  register: MbusRegister,
  record: MbusRecord,
  context: { readonly at: EpochMs; readonly status: number }
): MeterReading | undefined {
  const { unit, index } = record
  if (index === undefined || !isMeterUnit(unit) || record.qualifiers.includes(storedAtFixedDate)) return undefined
  const { raw, scaler } = index
  return { obis: obis(register.obis), at: context.at, raw, scaler, unit, status: context.status }
}

function statusOf(status: number): number {
  const bit = (flag: number, ours: number): number => ((status & flag) === 0 ? 0 : ours)
  return (
    bit(statusFlags.lowBattery, statusBits.batteryLow) |
    bit(statusFlags.permanentError, statusBits.permanentError) |
    bit(statusFlags.temporaryError, statusBits.temporaryError)
  )
}
