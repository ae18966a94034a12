import { type DeviceIdentity, type MeterReading, obis, statusBits } from '@endeks/domain/metering'
import { failure, type Result, success } from '@endeks/domain/result'
import type { EpochMs } from '@endeks/domain/time'
import type { DecodeFailure, Evidence, Exchange, MeterReadout } from '../../protocol.js'
import { conversationOf } from './conversation.js'
import { wireAddress } from './layout.js'
import { decodeNumber } from './number.js'
import { matchResponse, parseReadRequest, readsBits } from './pdu.js'
import { isModbusProfile, type ModbusProfile, type ValueField } from './profile.js'
import { decodeText, RegisterMap, type Words } from './registers.js'
import { decodeTimestamp } from './timestamp.js'
import { joinWords, timestampTypes, valueTypes } from './types.js'

/**
 * Readings from a conversation's bytes alone: the answers' registers are laid out by the requested addresses, and the profile is
 * read from that map. Registers carry no time, so a current value stands at the gateway's clock.
 */
export function decodeEvidence(evidence: Evidence): Result<MeterReadout, DecodeFailure> {
  const { profile } = evidence
  if (!isModbusProfile(profile)) return failure({ code: 'MODBUS_PROFILE', message: 'the profile is not one for Modbus' })
  const map = registersOf(evidence)
  if (!map.ok) return map
  const identity = decodeIdentity(map.value, profile)
  if (!identity.ok) return identity
  const readings: MeterReading[] = []
  const refused: DecodeFailure[] = []
  const status = decodeStatus(map.value, profile)
  if (!status.ok) return status
  for (const register of profile.registers) {
    const address = wireAddress(profile, register.address)
    const read = map.value.read(register.function, address, valueTypes[register.type])
    if (!read.ok) return read
    const reading = decodeReading({ map: map.value, profile, field: register, read: read.value, at: evidence.at })
    if (!reading.ok) return reading
    if (reading.value !== undefined) readings.push({ ...reading.value, status: status.value })
    else
      refused.push({
        code: 'MODBUS_VALUE_INVALID',
        message: `${register.obis} holds what the profile calls invalid`,
        offset: read.value.offset
      })
  }
  const stored = decodeHistory(map.value, profile, evidence.zone)
  if (!stored.ok) return stored
  readings.push(...stored.value.readings)
  refused.push(...stored.value.refused)
  if (readings.length === 0) {
    return failure({ code: 'MODBUS_VALUE_INVALID', message: 'every register holds the value that the profile calls invalid' })
  }
  return success({ identity: identity.value, readings, ...(refused.length === 0 ? {} : { refused }) })
}

function registersOf(exchange: Exchange): Result<RegisterMap, DecodeFailure> {
  const conversation = conversationOf(exchange)
  if (!conversation.ok) return conversation
  const map = new RegisterMap()
  for (const { request, answer: response } of conversation.value.questions) {
    const range = parseReadRequest(request)
    if (!range.ok) return failure({ ...range.error, message: `request: ${range.error.message}` })
    if (!response.ok) return response
    const answer = matchResponse(request, range.value, response.value)
    if (!answer.ok) return answer
    map.add(range.value, answer.value)
  }
  const { unasked } = conversation.value
  return unasked === undefined ? success(map) : failure(unasked)
}

function decodeIdentity(map: RegisterMap, profile: ModbusProfile): Result<DeviceIdentity, DecodeFailure> {
  const { identity } = profile
  const read = map.read(identity.function, wireAddress(profile, identity.address), identity.count)
  if (!read.ok) return read
  const id = identityText(read.value, identity)
  if (!id.ok) return id
  return success({
    id: id.value,
    ...(identity.manufacturer === undefined ? {} : { manufacturer: identity.manufacturer }),
    ...(identity.medium === undefined ? {} : { medium: identity.medium })
  })
}

/** Coded decimal keeps its leading zeros, as on the dial; a binary number has none. */
function identityText(read: Words, identity: ModbusProfile['identity']): Result<string, DecodeFailure> {
  const { type } = identity
  if (type === 'ascii') return decodeText(read, identity.byteOrder)
  const words = read.words.slice(0, valueTypes[type])
  const { wordOrder = 'big', byteOrder = 'big' } = identity
  const number = decodeNumber({ words, offset: read.offset }, { type, wordOrder, byteOrder })
  if (!number.ok) return number
  return success(String(number.value ?? 0n).padStart(type.startsWith('bcd') ? words.length * 4 : 1, '0'))
}

function decodeStatus(map: RegisterMap, profile: ModbusProfile): Result<number, DecodeFailure> {
  let status = 0
  for (const each of profile.status ?? []) {
    const read = map.read(each.function, wireAddress(profile, each.address), 1)
    if (!read.ok) return read
    const bit = readsBits(each.function) ? 0 : (each.bit ?? 0)
    if ((((read.value.words[0] ?? 0) >> bit) & 1) === 1) status |= statusBits[each.means]
  }
  return success(status)
}

interface Stored {
  readonly readings: MeterReading[]
  /** entries with a date that is none */
  readonly refused: DecodeFailure[]
}

function decodeHistory(map: RegisterMap, profile: ModbusProfile, zone: string): Result<Stored, DecodeFailure> {
  const block = profile.history
  const readings: MeterReading[] = []
  const refused: DecodeFailure[] = []
  if (block === undefined) return success({ readings, refused })
  for (let entry = 0; entry < block.entries; entry += 1) {
    const base = wireAddress(profile, block.address) + entry * block.stride
    // A conversation that asked for current values only has none of the block.
    if (!map.has(block.function, base + block.timestamp.offset)) continue
    const stamp = map.read(block.function, base + block.timestamp.offset, timestampTypes[block.timestamp.type])
    if (!stamp.ok) return stamp
    const at = decodeTimestamp(stamp.value, block.timestamp, zone)
    if (!at.ok) refused.push(at.error)
    if (!at.ok || at.value === undefined) continue
    for (const field of block.values) {
      const read = map.read(block.function, base + field.offset, valueTypes[field.type])
      if (!read.ok) return read
      const reading = decodeReading({ map, profile, field, read: read.value, at: at.value })
      if (!reading.ok) return reading
      if (reading.value !== undefined) readings.push(reading.value)
    }
  }
  return success({ readings, refused })
}

interface Field {
  readonly map: RegisterMap
  readonly profile: ModbusProfile
  readonly field: ValueField
  readonly read: Words
  readonly at: EpochMs
}

/** @returns undefined when the registers hold a value that the profile calls invalid */
function decodeReading({ map, profile, field, read, at }: Field): Result<MeterReading | undefined, DecodeFailure> {
  const scaler = scalerOf(map, profile, field)
  if (!scaler.ok) return scaler
  const raw = decodeNumber(read, field, scaler.value)
  if (!raw.ok) return raw
  if (raw.value === undefined) return success(undefined)
  return success({ obis: obis(field.obis), at, raw: raw.value, scaler: scaler.value, unit: field.unit, status: 0 })
}

/** A power of ten beyond these is no scaler of a meter but a register that holds something else. */
const furthestScaler = 12

function scalerOf(map: RegisterMap, profile: ModbusProfile, field: ValueField): Result<number, DecodeFailure> {
  const { scaler } = field
  if (typeof scaler === 'number') return success(scaler)
  const read = map.read(scaler.function, wireAddress(profile, scaler.address), 1)
  if (!read.ok) return read
  const bits = Number(joinWords(read.value.words, field))
  const value = (scaler.add ?? 0) + (scaler.type === 'i16' && bits >= 0x8000 ? bits - 0x1_0000 : bits)
  if (Math.abs(value) <= furthestScaler) return success(value)
  return failure({ code: 'MODBUS_SCALER', message: `10^${value} is no scaler of a counter`, offset: read.value.offset })
}
