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

/** What kinds of secret a meter may have: an M-Bus meter `encryption`, a DLMS meter any of them. */
export const keyKinds = ['encryption', 'authentication', 'broadcast', 'password'] as const
export type KeyKind = (typeof keyKinds)[number]

/** The secrets of one meter. Never in a site file, a message or a log. */
export interface MeterKeys {
  /** under which they were imported; counters are kept by it */
  readonly name: string
  /** 1 for the first import, one more each time that the secrets change; evidence names it */
  readonly version: number
  readonly secrets: Readonly<Partial<Record<KeyKind, Uint8Array>>>
}

/** Everything, beside the bytes, that turning an exchange into readings depends on. */
export interface Evidence extends Exchange {
  readonly profile: unknown
  /** IANA zone in which the device's clock counts */
  readonly zone: string
  /** for a conversation that was ciphered: the keys of the version that it names */
  readonly keys?: MeterKeys
}

/** What a device said: who it is, and the indexes of the registers that its profile names. */
export interface MeterReadout {
  readonly identity: DeviceIdentity
  readonly readings: readonly MeterReading[]
  /** what the device said instead, in a few words each, where none of it is a register of its profile */
  readonly offered?: readonly string[]
  /** registers of its profile that it named beside those, with a value or a date that cannot be one */
  readonly refused?: readonly DecodeFailure[]
}

/** What one frame may need to be read: a key where it is encrypted, a profile where its meaning is not in it. */
export interface FrameContext {
  readonly key?: Uint8Array
  readonly profile?: unknown
}

/** What is wrong with a profile, at a path such as "/registers/1/address". */
export interface ProfileProblem {
  readonly path: string
  readonly message: string
}

/** The pure half of a protocol: no sockets, no clock. The gateway reads with it and the API decodes evidence again with it. */
export interface ProtocolCodec {
  readonly name: string
  /** the part of a profile that this protocol reads */
  readonly profileSchema: TSchema
  /** What the schema cannot say of a profile that fits it, such as two registers that overlap; empty when nothing is wrong. */
  checkProfile(profile: unknown): readonly ProfileProblem[]
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
  /** it did not answer last time, or was never asked: silence is believed at once, so that a dead meter costs its bus one time-out */
  readonly doubtful?: boolean
  readonly keys?: MeterKeys
  readonly signal: AbortSignal
}

/** A profile by the name that a site file would give. */
export interface NamedProfile {
  readonly name: string
  readonly value: unknown
}

export interface ProbeJob {
  readonly address: string
  readonly zone: string
  /** the profiles of this protocol: which of them fit is to be said */
  readonly profiles: readonly NamedProfile[]
  readonly keys?: MeterKeys
  readonly signal: AbortSignal
}

/** Who stands at an address and what can be read there. */
export interface Finding {
  /** as a site file has it */
  readonly address: string
  /** undefined where the protocol has no way to ask without a profile */
  readonly identity?: DeviceIdentity
  /** what the device offers, a few words each, in the words of its protocol */
  readonly offers: readonly string[]
  /** names of the profiles that fit, the best first */
  readonly profiles: readonly string[]
  readonly request: Uint8Array
  readonly response: Uint8Array
}

export interface ScanJob {
  readonly signal: AbortSignal
  /** told after each address or group of addresses that was tried; `of` is undefined where their number shows only on the way */
  readonly progress: (tried: number, of: number | undefined) => void
}

/** A place where something answered; `trouble` says what stood in the way of telling who it is. */
export interface Sighting {
  readonly address: string
  readonly identity?: DeviceIdentity
  readonly trouble?: string
}

/** What a meter is told, beside being read. */
export type MeterCommand =
  | { readonly kind: 'set-clock' }
  | { readonly kind: 'valve'; readonly position: 'open' | 'closed' }
  /** an amount as decimal text, in a unit that the profile must have too */
  | { readonly kind: 'credit'; readonly amount: string; readonly unit: string }

export interface TellJob {
  readonly address: string
  readonly profile: unknown
  readonly zone: string
  readonly command: MeterCommand
  readonly keys?: MeterKeys
  readonly signal: AbortSignal
  /** when the bus is free and before anything is sent: what it throws ends the job, and the meter was told nothing */
  readonly begin: () => Promise<void>
}

/** What a command came to: `rejected` is surely not done, `failed` may be. */
export type CommandOutcome =
  | { readonly state: 'done'; readonly result: Readonly<Record<string, string | number | boolean>> }
  | { readonly state: 'rejected' | 'failed'; readonly code: string; readonly message: string }

/** A bus under one master: one conversation at a time. Connects when first used and again after a failure. */
export interface Bus {
  /** @throws {ReadFailure} when the device did not answer, answered wrongly, or the line is down */
  read(job: ReadJob): Promise<Exchange>
  /** Talks to one address without knowing what stands there. @throws {ReadFailure} as `read` does */
  probe(job: ProbeJob): Promise<Finding>
  /** Tries the addresses of the bus, one after the other. @throws {ReadFailure} when the line is down */
  scan(job: ScanJob): AsyncIterable<Sighting>
  /** Tells one meter something, once: what is not answered is not sent again. @throws what `begin` throws */
  tell(job: TellJob): Promise<CommandOutcome>
  close(): Promise<void>
}

/**
 * Counters that must not run back, kept through a kill: a counter sent twice under one key opens both messages, and one heard
 * twice is a message played back. `counter` names key and direction, such as "ELS-0042/1 sent".
 */
export interface CounterStore {
  /** What is kept; undefined before the first time. */
  read(counter: string): Promise<number | undefined>
  /** Resolves when the value is on disk. */
  write(counter: string, value: number): Promise<void>
}

export interface BusDependencies {
  readonly clock: Clock
  /** longest wait for one answer; undefined: what the protocol's standard says for the line's speed */
  readonly answerWithinMs: number | undefined
  readonly counters: CounterStore
}

/** The speaking half of a protocol. */
export interface Protocol {
  readonly codec: ProtocolCodec
  /** the bus entry of a site file, without `name`, `protocol` and `meters` */
  readonly busSchema: TSchema
  /** what an address of this protocol looks like in text; a meter's `address` is held against it */
  readonly addressPattern: RegExp
  /** the same in words, for whoever wrote another */
  readonly addressForm: string
  open(bus: unknown, dependencies: BusDependencies): Bus
}

/** The bytes of a conversation that did not begin. */
export const nothing = { request: new Uint8Array(), response: new Uint8Array() } as const

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
