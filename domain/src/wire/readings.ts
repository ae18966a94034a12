import { Compile } from 'typebox/compile'
import type { AppError } from '../errors/catalogue.js'
import { isObis, type Obis } from '../metering/obis.js'
import type { MeterReading } from '../metering/reading.js'
import { type Result, success } from '../result/index.js'
import type { EpochMs } from '../time/instant.js'
import { isMeterUnit } from '../units/meter-unit.js'
import {
  type LossMessage,
  LossMessageSchema,
  type ProfileMessage,
  ProfileMessageSchema,
  type ReadingsMessage,
  ReadingsMessageSchema,
  type WireExchange
} from './messages.js'
import { checked, jsonOf, malformed } from './parse.js'

const readingsValidator = Compile(ReadingsMessageSchema)
const profileValidator = Compile(ProfileMessageSchema)
const lossValidator = Compile(LossMessageSchema)

/** A message in the one shape that acceptance works on, whatever format it came in. */
export interface ParsedReadings {
  readonly epoch: string
  readonly lane: ReadingsMessage['lane']
  readonly sequence: number
  readonly exchanges: readonly WireExchange[]
  readonly readings: readonly (MeterReading & { readonly exchange: number })[]
}

export function encodeReadings(message: ParsedReadings): ReadingsMessage {
  const { readings } = message
  return {
    v: 1,
    epoch: message.epoch,
    lane: message.lane,
    sequence: message.sequence,
    exchanges: [...message.exchanges],
    readings: {
      exchange: readings.map((each) => each.exchange),
      obis: readings.map((each) => each.obis),
      at: readings.map((each) => each.at),
      raw: readings.map((each) => each.raw.toString()),
      scaler: readings.map((each) => each.scaler),
      unit: readings.map((each) => each.unit),
      status: readings.map((each) => each.status)
    }
  }
}

/** A readings message from its JSON text; MESSAGE_MALFORMED with the first path that is wrong. */
export function parseReadings(text: string): Result<ParsedReadings, AppError> {
  const value = jsonOf(text)
  return value.ok ? readingsOf(value.value) : value
}

/** The same from the value that JSON, or another notation of the same shape, stands for. */
export function readingsOf(value: unknown): Result<ParsedReadings, AppError> {
  const parsed = checked(value, readingsValidator)
  if (!parsed.ok) return parsed
  const { epoch, lane, sequence, exchanges, readings } = parsed.value
  const count = readings.exchange.length
  for (const [name, values] of Object.entries(readings)) {
    if (values.length !== count) return malformed(`/readings/${name} has ${values.length} entries and /readings/exchange ${count}`)
  }
  const rows: (MeterReading & { exchange: number })[] = []
  const codes = new Set<string>()
  for (let index = 0; index < count; index += 1) {
    const exchange = readings.exchange[index] ?? 0
    const unit = readings.unit[index] ?? ''
    if (exchange >= exchanges.length)
      return malformed(`/readings/exchange/${index} is ${exchange}, and there are ${exchanges.length} exchanges`)
    // The pattern of the schema allows groups up to 999; a code holds bytes.
    const code = readings.obis[index] ?? ''
    if (!isKnownObis(code, codes)) return malformed(`/readings/obis/${index} "${code}" has a group above 255`)
    if (!isMeterUnit(unit)) return malformed(`/readings/unit/${index} "${unit}" is no unit a meter counts in`)
    rows.push({
      exchange,
      obis: code,
      at: (readings.at[index] ?? 0) as EpochMs,
      raw: BigInt(readings.raw[index] ?? '0'),
      scaler: readings.scaler[index] ?? 0,
      unit,
      status: readings.status[index] ?? 0
    })
  }
  return success({ epoch, lane, sequence, exchanges, readings: rows })
}

/** A message names the same few registers again and again. @param known codes that have been looked at */
function isKnownObis(code: string, known: Set<string>): code is Obis {
  if (known.has(code)) return true
  if (!isObis(code)) return false
  known.add(code)
  return true
}

export function parseProfileMessage(text: string): Result<ProfileMessage, AppError> {
  const value = jsonOf(text)
  return value.ok ? profileMessageOf(value.value) : value
}

export function profileMessageOf(value: unknown): Result<ProfileMessage, AppError> {
  return checked(value, profileValidator)
}

/** The declaration of lost messages from its JSON text; MESSAGE_MALFORMED with the first path that is wrong. */
export function parseLossMessage(text: string): Result<LossMessage, AppError> {
  const value = jsonOf(text)
  return value.ok ? lossMessageOf(value.value) : value
}

export function lossMessageOf(value: unknown): Result<LossMessage, AppError> {
  const parsed = checked(value, lossValidator)
  if (parsed.ok && parsed.value.last < parsed.value.first) return malformed('/last is before /first')
  return parsed
}
