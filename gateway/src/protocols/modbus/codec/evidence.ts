import { type DeviceIdentity, type MeterReading, obis } from '@endeks/domain/metering'
import { failure, type Result, success } from '@endeks/domain/result'
import type { EpochMs } from '@endeks/domain/time'
import type { DecodeFailure, Evidence, Exchange, MeterReadout } from '../../protocol.js'
import { type Adu, parseAdus, parseReadRequest, parseReadResponse } from './mbap.js'
import { isModbusProfile, type ModbusProfile, timestampTypes, type ValueField, valueTypes } from './profile.js'
import { decodeNumber, decodeText, decodeTimestamp, RegisterMap, type Words } from './registers.js'

/**
 * Readings from a conversation's bytes alone: answers are matched to requests by transaction identifier, their registers laid
 * out by the requested addresses, and the profile read from that map. Registers carry no time, so a current value stands at
 * the gateway's clock.
 */
export function decodeEvidence(evidence: Evidence): Result<MeterReadout, DecodeFailure> {
  const { profile } = evidence
  if (!isModbusProfile(profile)) return failure({ code: 'MODBUS_PROFILE', message: 'the profile is not one for Modbus' })
  const map = registersOf(evidence)
  if (!map.ok) return map
  const identity = decodeIdentity(map.value, profile)
  if (!identity.ok) return identity
  const readings: MeterReading[] = []
  for (const register of profile.registers) {
    const read = map.value.read(register.function, register.address, valueTypes[register.type])
    if (!read.ok) return read
    const added = addReading(readings, register, read.value, evidence.at)
    if (!added.ok) return added
  }
  const stored = addHistory(readings, map.value, profile, evidence.zone)
  if (!stored.ok) return stored
  if (readings.length === 0) {
    return failure({ code: 'MODBUS_VALUE_INVALID', message: 'every register holds the value that the profile calls invalid' })
  }
  return success({ identity: identity.value, readings })
}

function registersOf(exchange: Exchange): Result<RegisterMap, DecodeFailure> {
  const requests = parseAdus(exchange.request)
  if (!requests.ok) return failure({ ...requests.error, message: `request: ${requests.error.message}` })
  const responses = parseAdus(exchange.response)
  if (!responses.ok) return responses
  const waiting = [...responses.value]
  const map = new RegisterMap()
  for (const request of requests.value) {
    const place = waiting.findIndex((each) => each.transaction === request.transaction)
    const response = waiting[place]
    if (response === undefined) {
      return failure({
        code: 'MODBUS_TRANSACTION',
        message: `request ${request.transaction} has no answer`,
        offset: exchange.response.length
      })
    }
    waiting.splice(place, 1)
    const laid = layOut(map, request, response)
    if (!laid.ok) return laid
  }
  const extra = waiting[0]
  if (extra !== undefined) {
    return failure({ code: 'MODBUS_TRANSACTION', message: `answer ${extra.transaction} belongs to no request`, offset: extra.offset })
  }
  return success(map)
}

function layOut(map: RegisterMap, request: Adu, response: Adu): Result<undefined, DecodeFailure> {
  const range = parseReadRequest(request)
  if (!range.ok) return failure({ ...range.error, message: `request: ${range.error.message}` })
  if (response.unit !== request.unit) {
    return failure({
      code: 'MODBUS_UNIT',
      message: `unit ${request.unit} was asked and unit ${response.unit} answered`,
      offset: response.offset + 6
    })
  }
  const answer = parseReadResponse(response)
  if (!answer.ok) return answer
  const { registers, offset } = answer.value
  if (answer.value.function !== range.value.function) {
    return failure({
      code: 'MODBUS_FUNCTION',
      message: `function ${range.value.function} was asked and ${answer.value.function} answered`,
      offset: offset - 2
    })
  }
  if (registers.length !== range.value.count) {
    return failure({
      code: 'MODBUS_BYTE_COUNT',
      message: `${range.value.count} registers were asked and ${registers.length} came`,
      offset: offset - 1
    })
  }
  for (const [index, word] of registers.entries()) map.set(range.value.function, range.value.address + index, word, offset + index * 2)
  return success(undefined)
}

function decodeIdentity(map: RegisterMap, profile: ModbusProfile): Result<DeviceIdentity, DecodeFailure> {
  const { identity } = profile
  const read = map.read(identity.function, identity.address, identity.count)
  if (!read.ok) return read
  let id: string
  if (identity.type === 'ascii') {
    const text = decodeText(read.value)
    if (!text.ok) return text
    id = text.value
  } else {
    const number = decodeNumber({ words: read.value.words.slice(0, 2), offset: read.value.offset }, { type: identity.type })
    if (!number.ok) return number
    id = String(number.value ?? 0n).padStart(identity.type === 'bcd32' ? 8 : 1, '0')
  }
  return success({
    id,
    ...(identity.manufacturer === undefined ? {} : { manufacturer: identity.manufacturer }),
    ...(identity.medium === undefined ? {} : { medium: identity.medium })
  })
}

function addHistory(readings: MeterReading[], map: RegisterMap, profile: ModbusProfile, zone: string): Result<undefined, DecodeFailure> {
  const block = profile.history
  if (block === undefined) return success(undefined)
  for (let entry = 0; entry < block.entries; entry += 1) {
    const base = block.address + entry * block.stride
    // A conversation that asked for current values only has none of the block.
    if (!map.has(block.function, base + block.timestamp.offset)) continue
    const stamp = map.read(block.function, base + block.timestamp.offset, timestampTypes[block.timestamp.type])
    if (!stamp.ok) return stamp
    const at = decodeTimestamp(stamp.value, block.timestamp.type, block.timestamp.wordOrder, zone)
    if (!at.ok) return at
    if (at.value === undefined) continue
    for (const field of block.values) {
      const read = map.read(block.function, base + field.offset, valueTypes[field.type])
      if (!read.ok) return read
      const added = addReading(readings, field, read.value, at.value)
      if (!added.ok) return added
    }
  }
  return success(undefined)
}

function addReading(readings: MeterReading[], field: ValueField, read: Words, at: EpochMs): Result<undefined, DecodeFailure> {
  const raw = decodeNumber(read, field)
  if (!raw.ok) return raw
  if (raw.value !== undefined) {
    readings.push({ obis: obis(field.obis), at, raw: raw.value, scaler: field.scaler, unit: field.unit, status: 0 })
  }
  return success(undefined)
}
