import { AppError } from '@endeks/domain/errors'
import { failure, type Result, success } from '@endeks/domain/result'
import type { EpochMs } from '@endeks/domain/time'
import { book, type ForeignReport, type ForeignValue } from './book.js'
import { unpack } from './content.js'
import type { ForeignGateway, ReadingKey } from './foreign-gateway.js'
import type { ForeignFormat, ReadMessage } from './format.js'
import { type JsonNode, readJsonText } from './json-text.js'

const telemetry = 'v1/gateway/telemetry'
/** What such a gateway says beside of it, which holds no readings: acknowledged, and that is all. */
const passedOver = [
  'v1/gateway/connect',
  'v1/gateway/disconnect',
  'v1/gateway/attributes',
  'v1/gateway/attributes/request',
  'v1/gateway/claim',
  'v1/gateway/rpc',
  'v1/devices/me/telemetry',
  'v1/devices/me/attributes'
]
/** The device's place: the gateway has no buses that it would tell of. */
const bus = 'thingsboard'
const mostDevices = 1_000

/**
 * The MQTT API of ThingsBoard for gateways: an object of devices, each with a list of instants and their values.
 *
 * @see https://thingsboard.io/docs/reference/gateway-mqtt-api/
 */
export const thingsboard: ForeignFormat = {
  name: 'thingsboard',
  knows: (topic) => topic === telemetry || passedOver.includes(topic),
  mayPublish: (_, topic) => topic === telemetry || passedOver.includes(topic),
  read({ topic, payload }, { gateway, receivedAt }) {
    if (topic !== telemetry) return {}
    const unpacked = unpack(payload)
    return unpacked.ok ? readTelemetry(unpacked.value.toString('utf8'), gateway, receivedAt) : { refusal: unpacked.error }
  },
  readEvidence: ({ response, at }, gateway) => readTelemetry(`{${response.toString('utf8')}}`, gateway, at)
}

/** @param arrivedAt the instant of entries that tell none */
function readTelemetry(text: string, gateway: ForeignGateway, arrivedAt: EpochMs): ReadMessage {
  const reports = reportsOf(text, gateway, arrivedAt)
  return reports.ok ? book(reports.value, gateway) : { refusal: reports.error }
}

function reportsOf(text: string, gateway: ForeignGateway, receivedAt: EpochMs): Result<ForeignReport[], AppError> {
  const root = readJsonText(text)
  if (!root.ok) return root
  if (root.value.kind !== 'object') return malformed('the message is no object of devices')
  if (root.value.members.size > mostDevices) return malformed(`${root.value.members.size} devices; send at most ${mostDevices} at once`)
  const { readingKey: readWith } = gateway
  const reports: ForeignReport[] = []
  for (const [device, entries] of root.value.members) {
    const report = reportOf(device, entries, { text, readWith, receivedAt })
    if (!report.ok) return report
    reports.push(report.value)
  }
  return success(reports)
}

interface Told {
  readonly text: string
  readonly readWith: ReadingKey
  readonly receivedAt: EpochMs
}

function reportOf(
  device: string,
  entries: JsonNode & { readonly nameStart: number },
  { text, readWith, receivedAt }: Told
): Result<ForeignReport, AppError> {
  if (entries.kind !== 'array') return malformed(`${shown(device)} has no list of values`)
  const values: ForeignValue[] = []
  let latest = 0
  let tellsAll = true
  for (const entry of entries.items) {
    const at = instantOf(entry, receivedAt)
    const told = entry.kind === 'object' ? entry.members.get('values') : undefined
    if (at === undefined) return malformed(`${shown(device)} has a "ts" that is no instant in milliseconds since 1970`)
    if (told?.kind !== 'object') return malformed(`${shown(device)} has an entry without an object "values"`)
    latest = Math.max(latest, at)
    tellsAll &&= entry.kind === 'object' && entry.members.has('ts')
    for (const [key, node] of told.members) {
      if (node.kind !== 'literal' || node.text !== 'null') values.push({ key, at, value: valueAt(node, text) })
    }
  }
  // The device's part of the message: within braces it is a message again.
  const evidence = Buffer.from(text.slice(entries.nameStart, entries.end), 'utf8')
  // Where an entry is of the moment of its arrival, that moment is kept: nothing else tells it when the bytes are read again.
  const at = tellsAll ? (latest as EpochMs) : receivedAt
  return success({ device, bus, address: device, at, evidence, values, readWith })
}

/** Without an instant of its own an entry is of the moment at which it arrives, as ThingsBoard takes it. */
function instantOf(entry: JsonNode, receivedAt: EpochMs): EpochMs | undefined {
  const node = entry.kind === 'object' ? entry.members.get('ts') : undefined
  if (node === undefined) return receivedAt
  const at = node.kind === 'number' && /^\d{1,16}$/.test(node.literal) ? Number(node.literal) : Number.NaN
  return at <= 8_640_000_000_000_000 ? (at as EpochMs) : undefined
}

function valueAt(node: JsonNode, text: string): ForeignValue['value'] {
  // Decimals in JSON come from doubles all but always, and carry what was added by arithmetic on those.
  return node.kind === 'number'
    ? { literal: node.literal, precision: 'double' }
    : { other: text.slice(node.start, Math.min(node.end, node.start + 40)) }
}

function shown(device: string): string {
  return JSON.stringify(device.slice(0, 64))
}

function malformed(message: string): { readonly ok: false; readonly error: AppError } {
  return failure(new AppError('MESSAGE_MALFORMED', message))
}
