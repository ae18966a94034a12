import type { AppError } from '@endeks/domain/errors'
import type { GatewayId } from '@endeks/domain/identifiers'
import type { EpochMs } from '@endeks/domain/time'
import type { ParsedReadings, WireExchange } from '@endeks/domain/wire'
import type { ForeignValue } from './book.js'
import type { ForeignGateway, GatewayFormat, ReadingKey } from './foreign-gateway.js'
import type { Births } from './sparkplug/births.js'

/** An exchange whose bytes are kept beside it. */
export type Exchange = Omit<WireExchange, 'request' | 'response'>

/** Readings in the one shape that acceptance works on, whatever format they came in. */
export interface Readings {
  readonly exchanges: readonly Exchange[]
  readonly readings: ParsedReadings['readings']
}

/** What was read of a message: what is to be stored, and what of it is not. Both may be there, and neither. */
export interface ReadMessage {
  readonly readings?: Readings
  /** the bytes of each exchange */
  readonly evidence?: readonly { readonly request: Buffer; readonly response: Buffer }[]
  /** what the evidence is read with */
  readonly profiles?: readonly ReadingKey[]
  /** why the message, or a part of it, is not taken: it is kept as a dead letter */
  readonly refusal?: AppError
  /** the numbers of which nobody has said what they are */
  readonly unmapped?: readonly { readonly device: string; readonly value: ForeignValue }[]
  /** what a refused message needs to be read another time */
  readonly readWith?: ReadingKey
  /** what the gateway is to be sent at once */
  readonly answer?: { readonly topic: string; readonly payload: Buffer }
}

/** What a format of another maker's needs beside the message. */
export interface ForeignContext {
  readonly gateway: ForeignGateway
  readonly births: Births
  readonly receivedAt: EpochMs
  /** told how many messages are missing before the one that is read */
  readonly gap: (missing: number) => void
  /** whether what evidence is read with is stored already, and need not be again */
  readonly isStored: (key: ReadingKey) => boolean
}

export interface ForeignMessage {
  readonly gateway: GatewayId
  readonly topic: string
  readonly payload: Buffer
}

/** Bytes that were kept of one device, with what turning them into readings depends on beside what was entered. */
export interface ForeignEvidence {
  /** the device's place, as the exchange has it */
  readonly bus: string
  readonly address: string
  readonly at: EpochMs
  readonly response: Buffer
  /** the text that it was read with */
  readonly profile: string
}

/** A language of gateways that are not ours. */
export interface ForeignFormat {
  readonly name: Exclude<GatewayFormat, 'endeks'>
  /** whether a topic is one of this language's, whoever publishes on it */
  readonly knows: (topic: string) => boolean
  /** whether this gateway may publish on it */
  readonly mayPublish: (gateway: GatewayId, topic: string) => boolean
  readonly read: (message: ForeignMessage, context: ForeignContext) => ReadMessage
  /** the same for bytes that were kept: by the same steps, with what is known from then */
  readonly readEvidence: (evidence: ForeignEvidence, gateway: ForeignGateway) => ReadMessage
  /** knows again, for a message that was kept, what it was to be read with then */
  readonly recall?: (message: ForeignMessage, readWith: string, births: Births) => void
}
