import { Line, type LinePlace } from '../../line/index.js'
import {
  type Bus,
  type BusDependencies,
  type CommandOutcome,
  type Exchange,
  type Finding,
  nothing,
  type ProbeJob,
  ReadFailure,
  type ReadJob,
  type ScanJob,
  type Sighting,
  type TellJob
} from '../protocol.js'
import { Turns } from '../turns.js'
import { Asker, type AskerOptions, type Refusal } from './asker.js'
import { encodeWriteRequest, isModbusProfile, planReads, wordsIn } from './codec/index.js'
import { rtuFraming, tcpFraming } from './framing.js'
import { Master } from './master.js'
import { probeUnit } from './probe.js'
import { sightUnit, unitsOf } from './scan.js'
import { type Telling, tellingFor } from './telling.js'
import { type Timing, timingOf } from './timing.js'
import { Transport } from './transport.js'
import { UnitHealth } from './unit-health.js'

export interface ModbusBusOptions {
  readonly place: LinePlace
  readonly framing: 'tcp' | 'rtu'
  readonly dependencies: BusDependencies
}

/** So many conversations in a row without a single byte mean that the connection is dead, not each of the meters. */
const mostSilent = 3
/** A converter that accepts at all does so soon, however short the wait for a meter is. */
const connectWithinMs = 3_000
/** Exceptions of a unit that has not begun: illegal function, address or value; busy; a path that a converter does not have (7). */
const notDone: ReadonlySet<number> = new Set([1, 2, 3, 6, 10])

/** A Modbus line under one master: reads, probes and scans take turns on it. */
export class ModbusBus implements Bus {
  readonly #framing: 'tcp' | 'rtu'
  readonly #dependencies: BusDependencies
  readonly #timing: Timing
  readonly #transport: Transport
  readonly #master: Master
  readonly #health: UnitHealth
  #silent = 0
  #closed = false
  /** two conversations at a time would collide on the wire */
  readonly #turns = new Turns()

  constructor({ place, framing, dependencies }: ModbusBusOptions) {
    this.#framing = framing
    this.#dependencies = dependencies
    this.#timing = timingOf(place, dependencies.answerWithinMs)
    const line = new Line(place, dependencies.clock)
    this.#transport = new Transport(line, framing === 'rtu' ? rtuFraming : tcpFraming, this.#timing)
    this.#master = new Master(this.#transport)
    this.#health = new UnitHealth(dependencies.clock)
  }

  read(job: ReadJob): Promise<Exchange> {
    const { profile } = job
    if (!isModbusProfile(profile)) return Promise.reject(new ReadFailure('MODBUS_PROFILE', 'the profile is not one for Modbus', nothing))
    return this.#turns.take(async () => {
      const unit = this.#unitOf(job.address)
      const left = this.#health.leftAlone(unit)
      if (left !== undefined) {
        const message = `unit ${unit} is left alone for another ${left.waitMs} ms after ${left.silences} conversations without an answer`
        throw new ReadFailure('NO_ANSWER', message, nothing)
      }
      const asker = await this.#asker(unit, { signal: job.signal })
      for (const range of planReads(profile, job.want.kind === 'history')) {
        const answer = await asker.ask(range)
        if (!answer.ok) throw this.#settle(unit, asker, answer.error)
      }
      const surplus = await this.#transport.surplusBehind(job.signal)
      if (surplus !== undefined) {
        const { response, ...why } = surplus
        asker.transcript.add({ request: new Uint8Array(), response })
        throw this.#settle(unit, asker, { ...why, kind: 'damaged', silent: false })
      }
      this.#settle(unit, asker)
      return { ...asker.transcript.answered, at: this.#dependencies.clock.now() }
    })
  }

  probe(job: ProbeJob): Promise<Finding> {
    return this.#turns.take(async () => {
      const unit = this.#unitOf(job.address)
      const asker = await this.#asker(unit, { signal: job.signal })
      const found = await probeUnit(asker, job, () => this.#dependencies.clock.now())
      if (!found.ok) throw this.#settle(unit, asker, found.error)
      this.#settle(unit, asker)
      return { ...found.value, ...asker.transcript.all }
    })
  }

  async *scan({ signal, progress }: ScanJob): AsyncIterable<Sighting> {
    const units = unitsOf(this.#framing)
    for (const [index, unit] of units.entries()) {
      // A turn for each unit, so that meters are read in between.
      const sighting = await this.#turns.take(async () => {
        const asker = await this.#asker(unit, { signal, withinMs: this.#timing.scanWithinMs, wasSilent: true })
        const sighted = await sightUnit(asker, unit)
        if (!sighted.ok && (sighted.error.kind === 'line' || sighted.error.kind === 'aborted')) {
          throw this.#settle(unit, asker, sighted.error)
        }
        return sighted.ok ? sighted.value : undefined
      })
      if (sighting !== undefined) yield sighting
      progress(index + 1, units.length)
    }
  }

  tell(job: TellJob): Promise<CommandOutcome> {
    const { address, profile, command, zone, begin, signal } = job
    return this.#turns.take(async () => {
      const { clock } = this.#dependencies
      if (!isModbusProfile(profile)) return { state: 'rejected', code: 'MODBUS_PROFILE', message: 'the profile is not one for Modbus' }
      const telling = tellingFor(command, { profile, zone, now: clock.now() })
      if (!telling.ok) return { state: 'rejected', ...telling.error }
      await begin()
      try {
        const unit = this.#unitOf(address)
        return await this.#carryOut(unit, await this.#asker(unit, { signal }), telling.value)
      } catch (thrown) {
        // Nothing was sent yet: the unit can't be here, or the line is down.
        if (!(thrown instanceof ReadFailure)) throw thrown
        return { state: 'rejected', code: thrown.code, message: thrown.message }
      }
    })
  }

  async #carryOut(unit: number, asker: Asker, { write, result, readBack }: Telling): Promise<CommandOutcome> {
    const answer = await asker.once(encodeWriteRequest(write))
    if (!answer.ok) {
      const { code, message, exception } = answer.error
      this.#settle(unit, asker, answer.error)
      return { state: exception !== undefined && notDone.has(exception) ? 'rejected' : 'failed', code, message }
    }
    const read = readBack === undefined ? undefined : await asker.ask(readBack.range)
    if (read?.ok === false) this.#settle(unit, asker, read.error)
    else this.#settle(unit, asker)
    const position = read?.ok === true ? readBack?.positionOf(wordsIn(read.value.frame)) : undefined
    return { state: 'done', result: position === undefined ? result : { ...result, valve: position } }
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#transport.close()
  }

  /** Modbus over Serial Line V1.02, 2.2: 0 is a broadcast, which nobody answers, and 248 to 255 are reserved. */
  #unitOf(address: string): number {
    const unit = Number(address)
    if (this.#framing === 'tcp' || (unit >= 1 && unit <= 247)) return unit
    throw new ReadFailure('MODBUS_ADDRESS', `unit ${address} can't be on a serial line: 1 to 247`, nothing)
  }

  async #asker(unit: number, options: Pick<AskerOptions, 'signal'> & Partial<AskerOptions>): Promise<Asker> {
    const { signal } = options
    const opened = await this.#transport.open({ withinMs: connectWithinMs, signal })
    if (this.#closed) {
      this.#transport.drop()
      throw new ReadFailure('READ_ABORTED', 'the bus was closed', nothing)
    }
    if (!opened.ok) throw new ReadFailure(opened.error.code, opened.error.message, nothing)
    return new Asker({
      master: this.#master,
      timing: this.#timing,
      repeats: this.#framing === 'rtu',
      unit,
      wasSilent: this.#health.isSilent(unit),
      ...options
    })
  }

  /** RTU: for so long an answer may still come that was given up, and an RTU answer does not say what it answers. */
  get #lateMs(): number {
    return this.#framing === 'rtu' ? 2 * this.#timing.answerWithinMs(8, 8) : 0
  }

  /** Draws the conclusions from a conversation's end, and gives back what to throw for it. */
  #settle(unit: number, asker: Asker, refusal: Refusal): ReadFailure
  #settle(unit: number, asker: Asker): undefined
  #settle(unit: number, asker: Asker, refusal?: Refusal): ReadFailure | undefined {
    if (refusal?.silent === true) this.#health.silent(unit, this.#lateMs)
    else if (refusal === undefined || refusal.kind === 'refused' || refusal.kind === 'damaged') this.#health.heard(unit)
    const { response } = asker.transcript.all
    this.#silent = response.length === 0 ? this.#silent + 1 : 0
    if (refusal !== undefined && this.#mustDrop(refusal)) this.#transport.drop()
    return refusal === undefined ? undefined : asker.failed(refusal)
  }

  /**
   * Over Modbus TCP every failure but a refusal ends the connection, so that nothing late comes over the next one. RTU has no
   * such way out: behind the converter the same wire goes on, so the transport waits for silence instead.
   */
  #mustDrop({ kind }: Refusal): boolean {
    if (kind === 'refused') return false
    if (this.#framing === 'tcp' || kind === 'line') return true
    if (this.#silent < mostSilent) return false
    this.#silent = 0
    return true
  }
}
