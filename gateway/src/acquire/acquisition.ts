import { asError } from '@endeks/domain/errors'
import { type DeviceIdentity, formatIdentity, type MeterReading } from '@endeks/domain/metering'
import type { Log } from '@endeks/domain/process'
import type { Clock } from '@endeks/domain/time'
import { decodeEvidence } from '../codec/registry.js'
import type { SiteBus } from '../config/check.js'
import {
  type Bus,
  type DecodeFailure,
  type Exchange,
  type MeterKeys,
  type MeterReadout,
  nothing,
  ReadFailure,
  type ReadJob
} from '../protocols/protocol.js'
import type { Poll } from '../schedule/schedule.js'
import { type HistoryMark, historyFrom, newReadings } from '../spool/history-mark.js'
import type { Spool } from '../spool/spool.js'
import type { Counters } from './counters.js'
import { GroupWriter } from './group-writer.js'
import { readoutOf } from './readout.js'

export interface AcquisitionDependencies {
  readonly spool: Spool
  readonly log: Log
  readonly clock: Clock
  readonly counters: Counters
  readonly zone: string
  /** the keys of a meter by the name that its site file gives them */
  readonly keysOf: (name: string) => MeterKeys | undefined
}

/** What one poll came to, for who asked for it by itself. */
export type PollReport = { readonly readings: number; readonly identity: DeviceIdentity } | DecodeFailure

interface BusPoll extends Poll {
  readonly bus: Pick<Bus, 'read'>
  readonly site: SiteBus
  /** told once the poll is over, unless it was called off */
  readonly report?: (report: PollReport) => void
}

/** A poll with what its meter needs to be understood. */
interface KeyedPoll extends BusPoll {
  readonly keys: MeterKeys | undefined
}

/** How much of a conversation that failed goes into the log. */
const loggedBytes = 256

/** From a meter to the disk: reads, decodes with the code that will decode the evidence again, and spools. */
export class Acquisition {
  readonly #dependencies: AcquisitionDependencies
  readonly #writer: GroupWriter

  constructor(dependencies: AcquisitionDependencies) {
    this.#dependencies = dependencies
    this.#writer = new GroupWriter(dependencies.spool)
  }

  /**
   * One conversation. A meter that fails is counted and logged; only a spool that fails is thrown, because nothing read after
   * that could be kept.
   *
   * @returns whether what was asked for is on disk
   */
  async poll(asked: BusPoll): Promise<boolean> {
    const { site, meter, kind } = asked
    // A value that can't be kept now is better read when it can.
    await this.#dependencies.spool.room()
    const keys = meter.key === undefined ? undefined : this.#dependencies.keysOf(meter.key)
    const poll = { ...asked, keys }
    const mark = kind === 'history' ? await this.#dependencies.spool.historyMark(site.name, meter.address) : undefined
    const exchange = await this.#read(poll, mark)
    if (exchange === undefined) return false
    const { zone } = this.#dependencies
    const decoded = decodeEvidence(site.protocol.codec.name, {
      ...exchange,
      profile: meter.profile.value,
      zone,
      ...(keys === undefined ? {} : { keys })
    })
    if (!decoded.ok) return this.#failed(poll, decoded.error, exchange)
    for (const refused of decoded.value.refused ?? []) this.#warn('value refused', poll, refused, exchange)
    if (decoded.value.readings.length === 0) return this.#failed(poll, nothingFor(poll, decoded.value), exchange)
    return kind === 'history' ? this.#keepHistory(poll, exchange, decoded.value, mark) : this.#keep(poll, exchange, decoded.value)
  }

  async #read(poll: KeyedPoll, mark: HistoryMark | undefined): Promise<Exchange | undefined> {
    const { meter, kind, doubtful, signal, keys } = poll
    const since = meter.historySince
    const want: ReadJob['want'] =
      kind === 'history' && since !== undefined ? { kind, since: historyFrom(mark, since) } : { kind: 'current' }
    try {
      this.#dependencies.counters.add('reads')
      return await poll.bus.read({
        address: meter.address,
        profile: meter.profile.value,
        zone: this.#dependencies.zone,
        want,
        doubtful,
        signal,
        ...(keys === undefined ? {} : { keys })
      })
    } catch (thrown) {
      // A read called off by a stop is no failure of the meter.
      if (!signal.aborted) {
        const known = thrown instanceof ReadFailure
        const code = known ? thrown.code : 'INTERNAL'
        const bytes = known ? thrown : nothing
        this.#failed(poll, { code, message: asError(thrown).message }, bytes)
      }
      return undefined
    }
  }

  async #keep(poll: KeyedPoll, exchange: Exchange, decoded: MeterReadout): Promise<boolean> {
    const current = newestOfEach(decoded.readings)
    const readout = this.#readout(poll, exchange, decoded, current)
    if (readout === undefined) return false
    await this.#writer.write({ lane: 'live', readouts: [readout], profiles: [poll.meter.profile], marks: [] })
    this.#dependencies.counters.add('readings', current.length)
    poll.report?.({ readings: current.length, identity: decoded.identity })
    return true
  }

  async #keepHistory(poll: KeyedPoll, exchange: Exchange, decoded: MeterReadout, mark: HistoryMark | undefined): Promise<boolean> {
    const { site, meter } = poll
    if (meter.historySince === undefined) return false
    const fresh = newReadings({ mark, since: meter.historySince, now: exchange.at, readings: decoded.readings })
    if (fresh.readings.length === 0) return true
    const readout = this.#readout(poll, exchange, decoded, fresh.readings)
    if (readout === undefined) return false
    const marks = [{ bus: site.name, address: meter.address, mark: fresh.mark }]
    await this.#writer.write({ lane: 'backlog', readouts: [readout], profiles: [meter.profile], marks })
    this.#dependencies.counters.add('readings', fresh.readings.length)
    return true
  }

  #readout(poll: KeyedPoll, exchange: Exchange, decoded: MeterReadout, readings: MeterReadout['readings']) {
    const { site, meter } = poll
    const connection = {
      bus: site.name,
      address: meter.address,
      protocol: site.protocol.codec.name,
      profileHash: meter.profile.hash,
      keyVersion: poll.keys?.version ?? 0,
      zone: this.#dependencies.zone
    }
    const readout = readoutOf(connection, exchange, decoded, readings)
    if (readout.ok) return readout.value
    this.#failed(poll, readout.error, exchange)
    return undefined
  }

  #failed(poll: BusPoll, error: DecodeFailure, bytes: Pick<Exchange, 'request' | 'response'>): false {
    this.#warn('read failed', poll, error, bytes)
    poll.report?.(error)
    return false
  }

  #warn(event: 'read failed' | 'value refused', poll: BusPoll, error: DecodeFailure, bytes: Pick<Exchange, 'request' | 'response'>): void {
    this.#dependencies.counters.add(`${event === 'read failed' ? 'failed' : 'refused'}.${error.code}`)
    this.#dependencies.log.warn(event, {
      code: error.code,
      message: error.message,
      bus: poll.site.name,
      address: poll.meter.address,
      profile: poll.meter.profile.name,
      kind: poll.kind,
      ...(error.offset === undefined ? {} : { offset: error.offset }),
      request: hex(bytes.request),
      response: hex(bytes.response)
    })
  }
}

/** Some meters send their month ends with every answer. They are history, and go out when history is read. */
function newestOfEach(readings: readonly MeterReading[]): MeterReading[] {
  const newest = new Map<string, MeterReading>()
  for (const reading of readings) {
    if (reading.at >= (newest.get(reading.obis)?.at ?? 0)) newest.set(reading.obis, reading)
  }
  return [...newest.values()]
}

/** A meter that answers and has nothing for its profile would otherwise count as read, and be missed with the bill. */
function nothingFor({ site, meter }: BusPoll, { identity, offered = [] }: MeterReadout): DecodeFailure {
  const said = offered.length === 0 ? '' : `; it says ${offered.join(', ')}`
  const message = `meter ${formatIdentity(identity)} at ${meter.address} of ${site.name} has no register of profile ${meter.profile.name}${said}`
  return { code: 'NO_READINGS', message }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.subarray(0, loggedBytes)).toString('hex')
}
