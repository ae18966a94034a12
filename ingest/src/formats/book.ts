import { createHash } from 'node:crypto'
import { AppError } from '@endeks/domain/errors'
import type { MeterReading } from '@endeks/domain/metering'
import { failure, type Result, success } from '@endeks/domain/result'
import type { EpochMs } from '@endeks/domain/time'
import type { MeterUnit } from '@endeks/domain/units'
import { exactNumber, type Precision } from './exact-number.js'
import { type ForeignGateway, type ReadingKey, unitOf } from './foreign-gateway.js'
import type { Exchange, ReadMessage } from './format.js'

/** A value as another maker's gateway told it. */
export interface ForeignValue {
  readonly key: string
  readonly at: EpochMs
  /** the number as it was written, or in words what there is instead */
  readonly value: { readonly literal: string; readonly precision: Precision } | { readonly other: string }
  /** as the message names it */
  readonly unit?: string
  readonly status?: number
}

/** What a message says of one device. */
export interface ForeignReport {
  readonly device: string
  readonly bus: string
  readonly address: string
  readonly at: EpochMs
  /** the bytes that say it */
  readonly evidence: Buffer
  readonly values: readonly ForeignValue[]
  readonly readWith: ReadingKey
}

const mostReadings = 10_000
const mostNameLength = 64
/** What a dead letter's text names; how many more there are, it counts. */
const namedRefusals = 3

/**
 * Turns what another maker's gateway said into the shape of our own: registers and units by what was entered for it. A value
 * that is none of a register, or of which nobody has said what it is, is refused by itself; the others are taken.
 *
 * @param refused what was refused of the message before
 */
export function book(reports: readonly ForeignReport[], gateway: ForeignGateway, refused: readonly AppError[] = []): ReadMessage {
  const exchanges: Exchange[] = []
  const evidence: { request: Buffer; response: Buffer }[] = []
  const readings: (MeterReading & { exchange: number })[] = []
  const refusals: AppError[] = [...refused]
  const profiles = new Map<string, ReadingKey>()
  const unmapped: { device: string; value: ForeignValue }[] = []
  for (const report of reports) {
    const wrongName = [report.device, report.bus, report.address, gateway.serialOf(report.device)].find((name) => !isName(name))
    if (wrongName !== undefined) {
      refusals.push(new AppError('MESSAGE_MALFORMED', `${quoted(wrongName)} is no name: 1 to ${mostNameLength} printable characters`))
      continue
    }
    const taken = report.values.flatMap((value) => {
      const reading = readingOf(value, report.device, gateway)
      if (!reading.ok) refusals.push(reading.error)
      if (!reading.ok && reading.error.code === 'MESSAGE_KEY_UNMAPPED') unmapped.push({ device: report.device, value })
      return reading.ok && reading.value !== undefined ? [{ ...reading.value, exchange: exchanges.length }] : []
    })
    if (taken.length === 0) continue
    readings.push(...taken)
    exchanges.push(exchangeOf(report, gateway))
    evidence.push({ request: Buffer.alloc(0), response: report.evidence })
    profiles.set(report.readWith.hash.toString('hex'), report.readWith)
  }
  if (readings.length > mostReadings) {
    return { refusal: new AppError('MESSAGE_TOO_LARGE', `${readings.length} readings; send at most ${mostReadings} in one message`) }
  }
  const refusal = inOne(refusals)
  return {
    ...(exchanges.length === 0 ? {} : { readings: { exchanges, readings }, evidence, profiles: [...profiles.values()] }),
    ...(unmapped.length === 0 ? {} : { unmapped }),
    ...(refusal === undefined ? {} : { refusal })
  }
}

function readingOf(value: ForeignValue, device: string, gateway: ForeignGateway): Result<MeterReading | undefined, AppError> {
  const meaning = gateway.meaningOf(device, value.key)
  if (meaning === 'passed-over') return success(undefined)
  const told = value.value
  if (meaning === undefined) {
    // A text or a switch of which nobody has said that it is a register is none.
    if ('other' in told) return success(undefined)
    return failure(new AppError('MESSAGE_KEY_UNMAPPED', `nobody has entered what ${quoted(value.key)} of ${quoted(device)} is`))
  }
  const refuse = (why: string): { readonly ok: false; readonly error: AppError } =>
    failure(new AppError('MESSAGE_VALUE_REFUSED', `${quoted(value.key)} of ${quoted(device)}: ${why}`))
  if ('other' in told) return refuse(`${told.other} is no index of a register`)
  const unit = agreedUnit(meaning.unit, value.unit)
  if (!unit.ok) return refuse(unit.error)
  const number = exactNumber(told.literal, {
    precision: told.precision,
    ...(meaning.scaler === undefined ? {} : { scaler: meaning.scaler })
  })
  if (!number.ok) return refuse(number.error)
  return success({ obis: meaning.obis, at: value.at, ...number.value, unit: unit.value, status: value.status ?? 0 })
}

/** A unit is never guessed: a factor of a thousand would be billed. */
function agreedUnit(entered: MeterUnit | undefined, told: string | undefined): Result<MeterUnit, string> {
  const said = told === undefined ? undefined : unitOf(told)
  if (told !== undefined && said === undefined) return failure(`it is told in ${quoted(told)}, which is no unit a meter counts in`)
  if (entered !== undefined && said !== undefined && entered !== said) return failure(`it is told in ${said} and entered as ${entered}`)
  const unit = entered ?? said
  return unit === undefined ? failure('neither the message nor what was entered tells its unit') : success(unit)
}

function exchangeOf(report: ForeignReport, gateway: ForeignGateway): Exchange {
  return {
    bus: report.bus,
    address: report.address,
    protocol: gateway.format,
    identity: { id: gateway.serialOf(report.device) },
    profile: report.readWith.hash.toString('hex'),
    keyVersion: 0,
    zone: 'UTC',
    at: report.at,
    sha256: createHash('sha256').update(report.evidence).digest('hex')
  }
}

/** One refusal for the message's dead letter: the first one's code, and in words how many there are. */
function inOne(refusals: readonly AppError[]): AppError | undefined {
  const [first] = refusals
  if (first === undefined || refusals.length === 1) return first
  const named = refusals.slice(0, namedRefusals).map((each) => each.message)
  const more = refusals.length > namedRefusals ? [`and ${refusals.length - namedRefusals} more`] : []
  return new AppError(first.code, `${refusals.length} values: ${[...named, ...more].join('; ')}`)
}

function isName(text: string): boolean {
  return text.length > 0 && text.length <= mostNameLength && !/\p{Cc}/u.test(text)
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, mostNameLength))
}
