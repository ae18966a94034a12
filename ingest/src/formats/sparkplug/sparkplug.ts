import { AppError } from '@endeks/domain/errors'
import { failure, type Result, success } from '@endeks/domain/result'
import { type EpochMs, epochMs } from '@endeks/domain/time'
import { book, type ForeignValue } from '../book.js'
import { unpack } from '../content.js'
import type { ForeignGateway } from '../foreign-gateway.js'
import type { ForeignContext, ForeignFormat, ForeignMessage, ReadMessage } from '../format.js'
import { Birth, type BornMetric } from './births.js'
import { type Metric, type Payload, readPayload } from './payload.js'
import { rebirthRequest } from './rebirth.js'
import { isOwnSparkplugTopic, parseSparkplugTopic, type SparkplugTopic } from './topic.js'
import { isNumeric, numberIn, statusOf, unitTextOf } from './values.js'

/** Time for an edge node to be born again before it is asked once more. */
const askPauseMs = 60_000
/** The specification's own metrics; none of them is a register. */
const control = /^(?:bdSeq$|Node Control\/|Device Control\/|Node Info\/|Properties\/)/
const mostInstant = 8_640_000_000_000_000n

/**
 * Sparkplug B: what an edge node and its devices say. Their births tell which name an alias stands for, and their values are
 * taken as readings too, since what does not change is told there only.
 *
 * @see Eclipse Sparkplug 3.0.0
 */
export const sparkplug: ForeignFormat = {
  name: 'sparkplug',
  knows: (topic) => topic.startsWith('spBv1.0/'),
  mayPublish: isOwnSparkplugTopic,
  recall(message, readWith, births) {
    const topic = parseSparkplugTopic(message.topic)
    if (topic !== undefined) births.keep(message.gateway, topic.group, topic.device, Birth.recalled(readWith))
  },
  readEvidence({ bus, address, response, profile }, gateway) {
    const payload = reportIn(response)
    if (!payload.ok) return { refusal: payload.error }
    return readMetrics({ ...payload.value, bus, device: address, bytes: response }, Birth.recalled(profile), gateway).read
  },
  read(message, context) {
    const topic = parseSparkplugTopic(message.topic)
    if (topic === undefined) return { refusal: malformed(`${message.topic} is no topic on which an edge node reports`) }
    const { births } = context
    if (topic.kind === 'NDEATH' || topic.kind === 'DDEATH') {
      births.end(message.gateway, topic.device)
      return {}
    }
    const unpacked = unpack(message.payload)
    if (!unpacked.ok) return { refusal: unpacked.error }
    const report = reportIn(unpacked.value)
    return report.ok ? readReport(message, context, { ...report.value, topic, bytes: unpacked.value }) : { refusal: report.error }
  }
}

/** What a payload says, and of when. */
interface Told {
  readonly payload: Payload
  readonly seq: number
  readonly at: EpochMs
}

function reportIn(bytes: Buffer): Result<Told, AppError> {
  const payload = readPayload(bytes)
  if (!payload.ok) return payload
  const { seq, timestamp } = payload.value
  // Both stand in every report; a payload that was cut between two of its fields has lost the later one.
  if (seq === undefined || seq > 255n) return failure(malformed(`no "seq" from 0 to 255, but ${seq ?? 'none'}`))
  if (timestamp === undefined || timestamp > mostInstant) return failure(malformed('no "timestamp" in milliseconds since 1970'))
  return success({ payload: payload.value, seq: Number(seq), at: epochMs(Number(timestamp)) })
}

interface Report extends Told {
  readonly topic: SparkplugTopic
  readonly bytes: Buffer
}

function readReport(message: ForeignMessage, context: ForeignContext, report: Report): ReadMessage {
  const { births, receivedAt } = context
  const { topic, payload } = report
  const { group, edge, device } = topic
  const born = topic.kind === 'NBIRTH' || topic.kind === 'DBIRTH' ? bornOf(payload) : undefined
  if (born !== undefined && !births.keep(message.gateway, group, device, born)) {
    return {
      refusal: new AppError('MESSAGE_TOO_LARGE', `${born.byName.size} metrics: more than are kept of one edge node with its devices`)
    }
  }
  const missing = births.follow(message.gateway, group, report.seq)
  if (missing > 0) context.gap(missing)
  const birth = born ?? births.find(message.gateway, group, device ?? '') ?? new Birth()
  const { read, birthNeeded } = readMetrics({ ...report, bus: group, device: device ?? edge }, birth, context.gateway)
  // A birth may be among what is missing, and may have given aliases anew.
  const ask = (missing > 0 || birthNeeded) && births.mayAsk(message.gateway, group, receivedAt, askPauseMs)
  return ask ? { ...read, answer: rebirthRequest(group, edge, receivedAt) } : read
}

/** What a device or its edge node said, whether it comes in or was kept. */
interface Said extends Told {
  readonly bus: string
  readonly device: string
  readonly bytes: Buffer
}

function readMetrics(said: Said, birth: Birth, gateway: ForeignGateway): { readonly read: ReadMessage; readonly birthNeeded: boolean } {
  const { bus, device, payload, at, bytes } = said
  const values: ForeignValue[] = []
  const refusals: AppError[] = []
  let birthNeeded = false
  for (const metric of payload.metrics) {
    const known = metric.alias === undefined ? birth.byName.get(metric.name ?? '') : birth.byAlias.get(metric.alias.toString())
    const name = metric.name ?? known?.name
    const datatype = metric.datatype ?? known?.datatype
    if (name === undefined || datatype === undefined) {
      birthNeeded = true
      const which = metric.name === undefined ? `alias ${metric.alias}` : JSON.stringify(name)
      refusals.push(new AppError('MESSAGE_BIRTH_NEEDED', `birth certificate needed: none that was heard tells of ${which}`))
      continue
    }
    if (control.test(name) || metric.isNull || metric.isTransient) continue
    const read = valueIn(metric, { name, datatype, unit: unitTextOf(metric) ?? known?.unit }, at)
    if (read.ok) values.push(read.value)
    else refusals.push(new AppError('MESSAGE_VALUE_REFUSED', `${JSON.stringify(name)}: ${read.error}`))
  }
  const readWith = birth.readWith(gateway)
  const booked = book([{ device, bus, address: device, at, evidence: bytes, values, readWith }], gateway, refusals)
  return { read: booked.refusal === undefined ? booked : { ...booked, readWith }, birthNeeded }
}

interface KnownMetric {
  readonly name: string
  readonly datatype: number
  readonly unit: string | undefined
}

function valueIn(metric: Metric, { name, datatype, unit }: KnownMetric, at: EpochMs): Result<ForeignValue, string> {
  if (metric.isHistorical && metric.timestamp === undefined) return failure('a historical value without an instant of its own')
  const instant = metric.timestamp ?? BigInt(at)
  if (instant > mostInstant) return failure(`${instant} is no instant in milliseconds since 1970`)
  const value = isNumeric(datatype) ? numberIn(metric, datatype) : { other: metric.other ?? `a value of datatype ${datatype}` }
  return success({ key: name, at: epochMs(Number(instant)), value, status: statusOf(metric), ...(unit === undefined ? {} : { unit }) })
}

function bornOf(payload: Payload): Birth {
  const birth = new Birth()
  for (const metric of payload.metrics) {
    if (metric.name !== undefined) birth.add(bornMetric(metric.name, metric), metric.alias)
  }
  return birth
}

function bornMetric(name: string, metric: Metric): BornMetric {
  const unit = unitTextOf(metric)
  const { datatype } = metric
  return { name, ...(datatype === undefined ? {} : { datatype }), ...(unit === undefined ? {} : { unit }) }
}

function malformed(message: string): AppError {
  return new AppError('MESSAGE_MALFORMED', message)
}
