import { AppError } from '@endeks/domain/errors'
import { type EpochMs, epochMs } from '@endeks/domain/time'
import type { dlms } from '@endeks/gateway/codec'
import type { Ailment } from '../../faults/index.js'
import type { SimulatedMeter } from '../meter.js'
import { type AssociationDefinition, associationsOf } from './associations-of.js'
import type { ProtectionLevel } from './ciphering.js'
import { InvocationCounters } from './counters.js'
import type { DlmsMeterOptions } from './options.js'
import { Valve } from './valve.js'

/** Longest APDU that a meter takes and sends, as small as real ones have it, so that a load profile comes in blocks. */
export const defaultPduSize = 512

const healthy: Ailment = { lies: new Set(), wrongKey: false, applicationError: undefined }

/** Settings of the clock that are remembered, and rows that clients had captured: the oldest make room. */
const mostAdjustments = 1000
const mostCaptures = 500

/** Sends and takes no APDU: what a meter is and remembers, whoever talks to it, until the process ends. */
export class MeterDevice {
  readonly meter: SimulatedMeter
  readonly options: DlmsMeterOptions
  readonly associations: readonly AssociationDefinition[]
  readonly title: Uint8Array
  readonly counters: InvocationCounters
  /** what was taken under the broadcast key */
  readonly broadcasts = new InvocationCounters(0)
  readonly valve: Valve
  /** what is wrong with the readout that an association began */
  ailment: Ailment = healthy
  password: Uint8Array | undefined
  /** what every ciphered APDU must have beside what its association asks for: raised by clients, never lowered */
  policy: ProtectionLevel = 'none'
  /** what a utility writes onto its meter */
  note: Uint8Array = new Uint8Array(0)
  readonly #adjustments: { readonly since: EpochMs; readonly offsetMs: number }[] = []
  readonly #captures: EpochMs[] = []
  #clearedAt = Number.NEGATIVE_INFINITY
  #keys: dlms.CipherKeys | undefined
  #readouts = 0
  #answering: EpochMs | undefined

  /** @throws {AppError} VALIDATION for options that do not fit together */
  constructor(meter: SimulatedMeter) {
    const options = meter.dlms ?? {}
    this.meter = meter
    this.options = options
    this.associations = associationsOf(options)
    this.title = options.systemTitle === undefined ? systemTitleOf(meter) : Buffer.from(options.systemTitle, 'hex')
    this.#keys = keysOf(options)
    if (options.push?.ciphered === true && this.#keys === undefined) throw new AppError('VALIDATION', 'a ciphered push has no "keys"')
    this.password = options.password === undefined ? undefined : Buffer.from(options.password, 'latin1')
    this.counters = new InvocationCounters(firstCounter(meter), options.faults?.counterJumpsBack?.afterMessages)
    this.valve = new Valve(meter)
  }

  /** IEC 62056-62: three letters of the maker, then the maker's own, sixteen characters in all. */
  get logicalDeviceName(): string {
    return `${makerOf(this.meter)}${this.meter.identity.id.padStart(13, '0').slice(-13)}`
  }

  get maxPduSize(): number {
    return this.options.maxPduSize ?? defaultPduSize
  }

  /** The instant of which all is said, before any setting of the clock. */
  instant(): EpochMs {
    return this.#answering ?? this.meter.clock.now()
  }

  /** All values of one answer are of one instant. */
  answering<Value>(work: () => Value): Value {
    this.#answering = this.meter.clock.now()
    try {
      return work()
    } finally {
      this.#answering = undefined
    }
  }

  /** What the meter's own clock says. */
  now(): EpochMs {
    return this.shown(this.instant())
  }

  /** What the meter's clock showed at an instant: settings of the clock do not change the rows from before. */
  shown(at: EpochMs): EpochMs {
    return epochMs(at + (this.#adjustments.findLast((each) => each.since <= at)?.offsetMs ?? 0))
  }

  get isAdjusted(): boolean {
    return this.#adjustments.length > 0
  }

  setClock(to: EpochMs): void {
    const since = this.instant()
    this.#adjustments.push({ since, offsetMs: to - since })
    if (this.#adjustments.length > mostAdjustments) this.#adjustments.shift()
  }

  /** Instants at which clients had the load profile captured. */
  get captures(): readonly EpochMs[] {
    return this.#captures
  }

  /** Nothing that was captured before is left. */
  get clearedAt(): number {
    return this.#clearedAt
  }

  capture(): void {
    this.#captures.push(this.instant())
    if (this.#captures.length > mostCaptures) this.#captures.shift()
  }

  get keys(): dlms.CipherKeys | undefined {
    return this.#keys !== undefined && this.ailment.wrongKey ? otherKeys(this.#keys) : this.#keys
  }

  /** New keys have been sent nothing: what was taken under the old ones does not count. */
  replaceKeys(keys: dlms.CipherKeys): void {
    if (keys.global !== this.#keys?.global) this.counters.restartReceiving()
    this.#keys = keys
  }

  /** A client associates: the meter's faults are looked up once for all that it reads. */
  beginReadout(): void {
    this.#readouts += 1
    this.ailment = this.meter.faults?.at(this.#readouts, this.instant()) ?? healthy
  }

  clearProfile(): void {
    this.#captures.length = 0
    this.#clearedAt = this.instant()
  }
}

function makerOf(meter: SimulatedMeter): string {
  return (meter.identity.manufacturer ?? 'END').slice(0, 3).padEnd(3, ' ')
}

/** Three letters of the maker and five bytes of the serial number, by its value where it is one. */
function systemTitleOf(meter: SimulatedMeter): Uint8Array {
  const title = Buffer.alloc(8)
  title.write(makerOf(meter), 'latin1')
  const { id } = meter.identity
  if (/^\d{1,12}$/.test(id)) title.writeUIntBE(Number(id) % 2 ** 40, 3, 5)
  else title.write(id.slice(-5), 3, 'latin1')
  return title
}

/** One count a second since the meter was mounted: a process that starts again goes on above what it has sent. */
function firstCounter(meter: SimulatedMeter): number {
  const seconds = Math.floor((meter.clock.now() - meter.startedAt) / 1000)
  return Math.min(Math.max(seconds, 0), 0x7fff_ffff)
}

function keysOf(options: DlmsMeterOptions): dlms.CipherKeys | undefined {
  const { keys, faults } = options
  if (keys === undefined) return undefined
  const broadcast = keys.broadcast === undefined ? {} : { broadcast: Buffer.from(keys.broadcast, 'hex') }
  const told = { global: Buffer.from(keys.global, 'hex'), authentication: Buffer.from(keys.authentication, 'hex'), ...broadcast }
  return faults?.wrongKey === true ? otherKeys(told) : told
}

/** Every bit of the global key is another one: certainly not the key that the site was told. */
function otherKeys(keys: dlms.CipherKeys): dlms.CipherKeys {
  return keys.global === undefined ? keys : { ...keys, global: keys.global.map((byte) => byte ^ 0xff) }
}
