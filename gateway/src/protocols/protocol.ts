import type { DeviceIdentity, MeterReading } from '@endeks/domain/metering'
import type { Result } from '@endeks/domain/result'
import type { Clock, EpochMs } from '@endeks/domain/time'
import type { TSchema } from 'typebox'

/** Why bytes could not be decoded: a code that never changes, a sentence, and where in the bytes it happened. */
export interface DecodeFailure {
  readonly code: string
  readonly message: string
  readonly offset?: number
}

/**
 * One conversation with one device: all bytes sent, all bytes received, and the gateway's clock at its end. The frames of
 * every protocol here delimit themselves, so a conversation of several is their concatenation.
 */
export interface Exchange {
  readonly request: Uint8Array
  readonly response: Uint8Array
  readonly at: EpochMs
}

/** Everything, beside the bytes, that turning an exchange into readings depends on. */
export interface Evidence extends Exchange {
  readonly profile: unknown
  /** IANA zone in which the device's clock counts */
  readonly zone: string
}

/** What a device said: who it is, and the indexes of the registers that its profile names. */
export interface MeterReadout {
  readonly identity: DeviceIdentity
  readonly readings: readonly MeterReading[]
  /** what the device said instead, in a few words each, where none of it is a register of its profile */
  readonly offered?: readonly string[]
}

/** What one frame may need to be read: a key where it is encrypted, a profile where its meaning is not in it. */
export interface FrameContext {
  readonly key?: Uint8Array
  readonly profile?: unknown
}

/** The pure half of a protocol: no sockets, no clock. The gateway reads with it and the API decodes evidence again with it. */
export interface ProtocolCodec {
  readonly name: string
  /** the part of a profile that this protocol reads */
  readonly profileSchema: TSchema
  decodeEvidence(evidence: Evidence): Result<MeterReadout, DecodeFailure>
  /** One frame by itself, for `gateway decode`: a plain object to print as JSON, or why not. */
  describeFrame(frame: Uint8Array, context?: FrameContext): Result<Readonly<Record<string, unknown>>, DecodeFailure>
}

/** What a conversation on the bus is for. */
export interface ReadJob {
  /** the device's address on its bus, as the protocol's `addressSchema` has it, in text on the wire */
  readonly address: string
  readonly profile: unknown
  readonly zone: string
  /** `current`: indexes of now. `history`: also stored values, from `since` on where the protocol can ask for a range */
  readonly want: { readonly kind: 'current' } | { readonly kind: 'history'; readonly since: EpochMs }
  readonly signal: AbortSignal
}

/** A bus under one master: one conversation at a time. Connects when first used and again after a failure. */
export interface Bus {
  /** @throws {ReadFailure} when the device did not answer, answered wrongly, or the line is down */
  read(job: ReadJob): Promise<Exchange>
  close(): Promise<void>
}

export interface BusDependencies {
  readonly clock: Clock
  /** longest wait for one answer */
  readonly answerWithinMs: number
}

/** The speaking half of a protocol. */
export interface Protocol {
  readonly codec: ProtocolCodec
  /** the bus entry of a site file, without `name`, `protocol` and `meters` */
  readonly busSchema: TSchema
  /** what an address of this protocol looks like in text; a meter's `address` is held against it */
  readonly addressPattern: RegExp
  open(bus: unknown, dependencies: BusDependencies): Bus
}

/** A conversation that gave no usable answer. Keeps what was sent and what came back. */
export class ReadFailure extends Error {
  readonly code: string
  readonly request: Uint8Array
  readonly response: Uint8Array

  constructor(code: string, message: string, bytes: { readonly request: Uint8Array; readonly response: Uint8Array }, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'ReadFailure'
    this.code = code
    this.request = bytes.request
    this.response = bytes.response
  }
}
