import { createHash } from 'node:crypto'
import { AppError, type ErrorCode } from '@endeks/domain/errors'
import type { GatewayId } from '@endeks/domain/identifiers'
import { type ParsedReadings, parseProfileMessage, parseReadings, parseTopic } from '@endeks/domain/wire'
import type { DeadLetterRow, ProfileRow, SequenceNumber } from '../store/messages.js'

/** A message as it came from an authenticated gateway. */
export interface Incoming {
  readonly gateway: GatewayId
  readonly topic: string
  readonly payload: Buffer
  /** why the broker would not have it; it is only kept as a dead letter then */
  readonly refused?: AppError
}

export interface Evidence {
  readonly request: Buffer
  readonly response: Buffer
}

/** A message read and checked as far as that goes without the database: what of it is to be stored. */
export interface Prepared {
  readonly gateway: GatewayId
  readonly topic: string
  readonly bytes: number
  readonly readings?: ParsedReadings
  /** the bytes of each of the message's exchanges */
  readonly evidence: readonly Evidence[]
  readonly profile?: ProfileRow
  readonly deadLetter?: DeadLetterRow
  readonly sequence?: SequenceNumber
  /** the original, for the dead letter of a message that only the database finds wrong */
  readonly payload: Buffer
}

export interface PrepareLimits {
  /** a longer message is not read at all */
  readonly payloadBytes: number
}

const keptBytes = 65_536
const messageLength = 500

/** Reads a message. It never fails: what can't be taken becomes a dead letter with its code. */
export function prepare(incoming: Incoming, limits: PrepareLimits): Prepared {
  const { gateway, topic, payload } = incoming
  const plain = { gateway, topic, bytes: payload.length, evidence: [], payload }
  const dead = (error: AppError): Prepared => ({ ...plain, deadLetter: deadLetter(incoming, error) })
  if (incoming.refused !== undefined) return dead(incoming.refused)
  if (payload.length > limits.payloadBytes) {
    return dead(new AppError('MESSAGE_TOO_LARGE', `${payload.length} bytes; send at most ${limits.payloadBytes} in one message`))
  }
  const parsed = parseTopic(topic)
  if (parsed?.gateway !== gateway) return dead(new AppError('MESSAGE_FOREIGN_GATEWAY', `${gateway} may not publish on ${topic}`))
  if (parsed.kind === 'readings') return prepareReadings(incoming, plain)
  if (parsed.kind === 'profiles') return prepareProfile(incoming, plain)
  return dead(new AppError('COMMAND_UNKNOWN', `nothing was asked of ${gateway} that this could answer`))
}

function prepareReadings(incoming: Incoming, plain: Prepared): Prepared {
  const parsed = parseReadings(incoming.payload.toString('utf8'))
  if (!parsed.ok) return { ...plain, deadLetter: deadLetter(incoming, parsed.error) }
  const { epoch, lane, sequence, exchanges } = parsed.value
  const numbered = { ...plain, sequence: { gateway: incoming.gateway, epoch, lane, sequence } }
  const evidence: Evidence[] = []
  for (const [index, exchange] of exchanges.entries()) {
    const request = Buffer.from(exchange.request, 'base64')
    const response = Buffer.from(exchange.response, 'base64')
    const hash = createHash('sha256').update(request).update(response).digest('hex')
    if (hash !== exchange.sha256) {
      const error = new AppError('MESSAGE_EVIDENCE_HASH', `/exchanges/${index}/sha256 is ${exchange.sha256}, its bytes give ${hash}`)
      return { ...numbered, deadLetter: deadLetter(incoming, error) }
    }
    evidence.push({ request, response })
  }
  return { ...numbered, readings: parsed.value, evidence }
}

function prepareProfile(incoming: Incoming, plain: Prepared): Prepared {
  const parsed = parseProfileMessage(incoming.payload.toString('utf8'))
  if (!parsed.ok) return { ...plain, deadLetter: deadLetter(incoming, parsed.error) }
  const { hash, content } = parsed.value
  const actual = createHash('sha256').update(content, 'utf8').digest()
  if (actual.toString('hex') !== hash) {
    const error = new AppError('MESSAGE_EVIDENCE_HASH', `/hash is ${hash}, the content gives ${actual.toString('hex')}`)
    return { ...plain, deadLetter: deadLetter(incoming, error) }
  }
  return { ...plain, profile: { gateway: incoming.gateway, hash: actual, content } }
}

/** A message's dead letter: its first 64 KB, and size and hash of the whole. */
export function deadLetter(
  message: { readonly gateway: GatewayId; readonly topic: string; readonly payload: Buffer },
  error: { readonly code: ErrorCode; readonly message: string }
): DeadLetterRow {
  return {
    gateway: message.gateway,
    topic: printable(message.topic),
    code: error.code,
    message: printable(error.message),
    size: message.payload.length,
    sha256: createHash('sha256').update(message.payload).digest(),
    payload: Buffer.from(message.payload.subarray(0, keptBytes))
  }
}

/** PostgreSQL's text holds no NUL, and a person wants to read this. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, ' ').slice(0, messageLength)
}
