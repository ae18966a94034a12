import { Compile } from 'typebox/compile'
import type { AppError } from '../errors/catalogue.js'
import { isObis, type Obis } from '../metering/obis.js'
import type { MeterReading } from '../metering/reading.js'
import { type Result, success } from '../result/index.js'
import type { EpochMs } from '../time/instant.js'
import { isMeterUnit, type MeterUnit } from '../units/meter-unit.js'
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

/** Readings by column, as they are on the wire: entry n of every column is one reading. */
export interface ReadingColumns {
  readonly exchange: readonly number[]
  readonly obis: readonly Obis[]
  readonly at: readonly EpochMs[]
  /** decimal text */
  readonly raw: readonly string[]
  readonly scaler: readonly number[]
  readonly unit: readonly MeterUnit[]
  readonly status: readonly number[]
}

/** The same message without an object for each of its readings. */
export interface ColumnarReadings extends Omit<ParsedReadings, 'readings'> {
  readonly columns: ReadingColumns
}

export function encodeReadings(message: ParsedReadings): ReadingsMessage {
  const { epoch, lane, sequence, exchanges, readings } = message
  const { exchange, obis, at, raw, scaler, unit, status } = columnsOf(readings)
  return {
    ...{ v: 1, epoch, lane, sequence, exchanges: [...exchanges] },
    readings: {
      ...{ exchange: [...exchange], obis: [...obis], at: [...at], raw: [...raw] },
      ...{ scaler: [...scaler], unit: [...unit], status: [...status] }
    }
  }
}

export function columnsOf(readings: ParsedReadings['readings']): ReadingColumns {
  return {
    exchange: readings.map((each) => each.exchange),
    obis: readings.map((each) => each.obis),
    at: readings.map((each) => each.at),
    raw: readings.map((each) => each.raw.toString()),
    scaler: readings.map((each) => each.scaler),
    unit: readings.map((each) => each.unit),
    status: readings.map((each) => each.status)
  }
}

/** A readings message from its JSON text; MESSAGE_MALFORMED with the first path that is wrong. */
export function parseReadings(text: string): Result<ParsedReadings, AppError> {
  const value = jsonOf(text)
  return value.ok ? readingsOf(value.value) : value
}

/** The same from the value that JSON, or another notation of the same shape, stands for. */
export function readingsOf(value: unknown): Result<ParsedReadings, AppError> {
  const parsed = columnarOf(value)
  if (!parsed.ok) return parsed
  const { columns, ...message } = parsed.value
  const readings = columns.raw.map((raw, index) => ({
    exchange: entry(columns.exchange, index),
    obis: entry(columns.obis, index),
    at: entry(columns.at, index),
    raw: BigInt(raw),
    scaler: entry(columns.scaler, index),
    unit: entry(columns.unit, index),
    status: entry(columns.status, index)
  }))
  return success({ ...message, readings })
}

/** The same by column. The value's own arrays are used, so that checking costs no memory. */
export function columnarOf(value: unknown): Result<ColumnarReadings, AppError> {
  const parsed = checked(value, readingsValidator)
  if (!parsed.ok) return parsed
  const { epoch, lane, sequence, exchanges, readings } = parsed.value
  const { exchange, obis, at, raw, scaler, unit, status } = readings
  const count = exchange.length
  for (const [name, values] of Object.entries(readings)) {
    if (values.length !== count) return malformed(`/readings/${name} has ${values.length} entries and /readings/exchange ${count}`)
  }
  const strange = exchange.findIndex((place) => place >= exchanges.length)
  if (strange >= 0) return malformed(`/readings/exchange/${strange} is ${exchange[strange]}, and there are ${exchanges.length} exchanges`)
  if (!areObis(obis)) {
    // The pattern of the schema allows groups up to 999; a code holds bytes.
    const index = obis.findIndex((code) => !isObis(code))
    return malformed(`/readings/obis/${index} "${obis[index]}" has a group above 255`)
  }
  if (!areUnits(unit)) {
    const index = unit.findIndex((each) => !isMeterUnit(each))
    return malformed(`/readings/unit/${index} "${unit[index]}" is no unit a meter counts in`)
  }
  return success({ epoch, lane, sequence, exchanges, columns: { exchange, obis, at: at as EpochMs[], raw, scaler, unit, status } })
}

/** A message names the same few registers again and again. */
function areObis(codes: readonly string[]): codes is Obis[] {
  const known = new Set<string>()
  for (const code of codes) {
    if (known.has(code)) continue
    if (!isObis(code)) return false
    known.add(code)
  }
  return true
}

function areUnits(units: readonly string[]): units is MeterUnit[] {
  return units.every(isMeterUnit)
}

function entry<Value>(column: readonly Value[], index: number): Value {
  const value = column[index]
  if (value === undefined) throw new RangeError(`there is no entry ${index}`)
  return value
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
