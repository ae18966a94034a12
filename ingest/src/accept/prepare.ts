import { createHash, hash as digest } from 'node:crypto'
import { AppError, type ErrorCode } from '@endeks/domain/errors'
import type { GatewayId } from '@endeks/domain/identifiers'
import {
  type AckMessage,
  ackMessageOf,
  columnarOf,
  columnsOf,
  lossMessageOf,
  parseTopic,
  profileMessageOf,
  type ReadingColumns,
  type WireExchange
} from '@endeks/domain/wire'
import { readContent } from '../formats/content.js'
import type { ReadingKey } from '../formats/foreign-gateway.js'
import type { Exchange, ForeignContext, ForeignFormat } from '../formats/format.js'
import { foreignFormatOf } from '../formats/index.js'
import type { DeadLetterRow, ProfileRow } from '../store/messages.js'
import type { SequenceLoss, SequenceNumber } from '../store/sequences.js'

/** A message as it came from an authenticated gateway. */
export interface Incoming {
  readonly gateway: GatewayId
  readonly topic: string
  readonly payload: Buffer
  /** why the broker would not have it; it is only kept as a dead letter then */
  readonly refused?: AppError
  /** sends the gateway a message, if it hears that topic now; only sources that can have it */
  readonly tell?: (topic: string, payload: Buffer) => void
}

export interface Evidence {
  readonly request: Buffer
  readonly response: Buffer
}

/** Readings by column, in the order of their exchanges. */
export interface PreparedReadings {
  readonly exchanges: readonly Exchange[]
  readonly columns: ReadingColumns
}

/** A message read and checked as far as that goes without the database: what of it is to be stored. */
export interface Prepared {
  readonly gateway: GatewayId
  readonly topic: string
  readonly bytes: number
  readonly readings?: PreparedReadings
  /** the bytes of each of the message's exchanges */
  readonly evidence: readonly Evidence[]
  /** what evidence is read with */
  readonly profiles?: readonly ProfileRow[]
  /** what became of a command */
  readonly ack?: AckMessage
  readonly deadLetter?: DeadLetterRow
  readonly sequence?: SequenceNumber
  /** numbers that the gateway gave up */
  readonly loss?: SequenceLoss
  /** the original, for the dead letter of a message that only the database finds wrong */
  readonly payload: Buffer
  /** what that needs to be read another time */
  readonly readWith?: ReadingKey
}

export interface PrepareLimits {
  /** a longer message is not read at all */
  readonly payloadBytes: number
}

const keptBytes = 65_536
const messageLength = 500

/**
 * Reads a message. It never fails: what can't be taken becomes a dead letter with its code.
 *
 * @param foreign what was entered for its gateway, if the topic is one of another maker's language
 */
export function prepare(incoming: Incoming, limits: PrepareLimits, foreign?: ForeignContext): Prepared {
  const { gateway, topic, payload } = incoming
  const plain = { gateway, topic, bytes: payload.length, evidence: [], payload }
  const dead = (error: AppError): Prepared => ({ ...plain, deadLetter: deadLetter(incoming, error) })
  if (incoming.refused !== undefined) return dead(incoming.refused)
  if (payload.length > limits.payloadBytes) {
    return dead(new AppError('MESSAGE_TOO_LARGE', `${payload.length} bytes; send at most ${limits.payloadBytes} in one message`))
  }
  const format = foreignFormatOf(topic)
  if (format !== undefined && foreign !== undefined) return prepareForeign(incoming, plain, { format, context: foreign })
  const parsed = parseTopic(topic)
  if (parsed?.gateway !== gateway) return dead(new AppError('MESSAGE_FOREIGN_GATEWAY', `${gateway} may not publish on ${topic}`))
  if (parsed.kind === 'readings') return prepareReadings(incoming, plain)
  if (parsed.kind === 'profiles') return prepareProfile(incoming, plain)
  if (parsed.kind === 'lost') return prepareLoss(incoming, plain)
  if (parsed.kind === 'ack') return prepareAck(incoming, plain)
  return dead(new AppError('COMMAND_UNKNOWN', `nothing was asked of ${gateway} that this could answer`))
}

function prepareReadings(incoming: Incoming, plain: Prepared): Prepared {
  const content = readContent(incoming.payload)
  const parsed = content.ok ? columnarOf(content.value) : content
  if (!parsed.ok) return { ...plain, deadLetter: deadLetter(incoming, parsed.error) }
  const { epoch, lane, sequence, exchanges, columns } = parsed.value
  const numbered = { ...plain, sequence: { gateway: incoming.gateway, epoch, lane, sequence } }
  const evidence: Evidence[] = []
  for (const [index, exchange] of exchanges.entries()) {
    const taken = takeEvidence(exchange)
    if ('differs' in taken) {
      const error = new AppError(
        'MESSAGE_EVIDENCE_HASH',
        `/exchanges/${index}/sha256 is ${exchange.sha256}, its bytes give ${taken.differs}`
      )
      return { ...numbered, deadLetter: deadLetter(incoming, error) }
    }
    evidence.push(taken)
  }
  return { ...numbered, readings: { exchanges, columns: byExchange(columns) }, evidence }
}

/** The bytes of an exchange, or the hash that they give where it is not the one that was told. */
function takeEvidence({ request, response, sha256 }: WireExchange): Evidence | { readonly differs: string } {
  const bytes = Buffer.allocUnsafe(Buffer.byteLength(request, 'base64') + Buffer.byteLength(response, 'base64'))
  const middle = bytes.write(request, 0, 'base64')
  const end = middle + bytes.write(response, middle, 'base64')
  const actual = digest('sha256', bytes.subarray(0, end), 'hex')
  return actual === sha256 ? { request: bytes.subarray(0, middle), response: bytes.subarray(middle, end) } : { differs: actual }
}

/** Gateways tell readings exchange by exchange; whoever does not has them put in that order. */
function byExchange(columns: ReadingColumns): ReadingColumns {
  const { exchange } = columns
  if (exchange.every((place, index) => index === 0 || place >= (exchange[index - 1] ?? 0))) return columns
  const order = [...exchange.keys()].sort((a, b) => (exchange[a] ?? 0) - (exchange[b] ?? 0))
  const sorted = <Value>(column: readonly Value[]): Value[] => order.flatMap((index) => column[index] ?? [])
  return {
    exchange: sorted(exchange),
    obis: sorted(columns.obis),
    at: sorted(columns.at),
    raw: sorted(columns.raw),
    scaler: sorted(columns.scaler),
    unit: sorted(columns.unit),
    status: sorted(columns.status)
  }
}

function prepareProfile(incoming: Incoming, plain: Prepared): Prepared {
  const given = readContent(incoming.payload)
  const parsed = given.ok ? profileMessageOf(given.value) : given
  if (!parsed.ok) return { ...plain, deadLetter: deadLetter(incoming, parsed.error) }
  const { hash, content } = parsed.value
  const actual = createHash('sha256').update(content, 'utf8').digest()
  if (actual.toString('hex') !== hash) {
    const error = new AppError('MESSAGE_EVIDENCE_HASH', `/hash is ${hash}, the content gives ${actual.toString('hex')}`)
    return { ...plain, deadLetter: deadLetter(incoming, error) }
  }
  return { ...plain, profiles: [{ gateway: incoming.gateway, hash: actual, content }] }
}

/** Of a message of another maker's a part may be taken and a part be kept as a dead letter. */
function prepareForeign(
  incoming: Incoming,
  plain: Prepared,
  { format, context }: { readonly format: ForeignFormat; readonly context: ForeignContext }
): Prepared {
  const { gateway, topic } = incoming
  if (context.gateway.format !== format.name || !format.mayPublish(gateway, topic)) {
    const error = new AppError('MESSAGE_FOREIGN_GATEWAY', `${gateway} speaks ${context.gateway.format} and may not publish on ${topic}`)
    return { ...plain, deadLetter: deadLetter(incoming, error) }
  }
  const { readings, evidence = [], profiles = [], refusal, readWith, answer } = format.read(incoming, context)
  if (answer !== undefined) incoming.tell?.(answer.topic, answer.payload)
  const needed = readWith === undefined ? profiles : [...profiles, readWith]
  return {
    ...plain,
    evidence,
    profiles: needed.filter((each) => !context.isStored(each)).map((each) => ({ gateway, ...each })),
    ...(readings === undefined ? {} : { readings: { exchanges: readings.exchanges, columns: byExchange(columnsOf(readings.readings)) } }),
    ...(readWith === undefined ? {} : { readWith }),
    ...(refusal === undefined ? {} : { deadLetter: deadLetter({ ...plain, ...(readWith === undefined ? {} : { readWith }) }, refusal) })
  }
}

function prepareAck(incoming: Incoming, plain: Prepared): Prepared {
  const given = readContent(incoming.payload)
  const parsed = given.ok ? ackMessageOf(given.value) : given
  return parsed.ok ? { ...plain, ack: parsed.value } : { ...plain, deadLetter: deadLetter(incoming, parsed.error) }
}

function prepareLoss(incoming: Incoming, plain: Prepared): Prepared {
  const given = readContent(incoming.payload)
  const parsed = given.ok ? lossMessageOf(given.value) : given
  if (!parsed.ok) return { ...plain, deadLetter: deadLetter(incoming, parsed.error) }
  const { epoch, lane, first, last, readings, reason } = parsed.value
  return { ...plain, loss: { gateway: incoming.gateway, epoch, lane, first, last, readings, reason } }
}

/** A message's dead letter: its first 64 KB, and size and hash of the whole. */
export function deadLetter(
  message: { readonly gateway: GatewayId; readonly topic: string; readonly payload: Buffer; readonly readWith?: ReadingKey },
  error: { readonly code: ErrorCode; readonly message: string }
): DeadLetterRow {
  return {
    gateway: message.gateway,
    topic: printable(message.topic),
    code: error.code,
    message: printable(error.message),
    size: message.payload.length,
    sha256: createHash('sha256').update(message.payload).digest(),
    payload: Buffer.from(message.payload.subarray(0, keptBytes)),
    ...(message.readWith === undefined ? {} : { readWith: message.readWith.hash })
  }
}

/** PostgreSQL's text holds no NUL, and a person wants to read this. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, ' ').slice(0, messageLength)
}
