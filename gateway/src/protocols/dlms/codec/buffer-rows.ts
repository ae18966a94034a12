import type { MeterReading, Obis } from '@endeks/domain/metering'
import { type EpochMs, epochMs } from '@endeks/domain/time'
import type { Answers } from './answers.js'
import { captureObjectsOf, columnsOf } from './capture-objects.js'
import { type DlmsData, integerOf } from './data-types.js'
import { DlmsFault } from './fault.js'
import { type Moment, momentOf } from './moment.js'
import { attributes, sortMethods } from './object-classes.js'
import type { Column, DlmsProfile, ProfileBuffer } from './profile.js'
import type { Refusals } from './refusals.js'
import { counterOf, type ScalerUnit } from './scaler-unit.js'

const { profileGeneric } = attributes

interface BufferOptions {
  readonly profile: DlmsProfile
  readonly answers: Answers
  readonly zone: string
  readonly scales: ReadonlyMap<Obis, ScalerUnit>
  readonly refusals: Refusals
}

/** The rows of the load profile, where the conversation asked for it. */
export function bufferReadings(options: BufferOptions): MeterReading[] {
  const { profile, answers, zone, scales, refusals } = options
  const buffer = profile.profileBuffer
  if (buffer === undefined) return []
  const reference = { class: profileGeneric.class, obis: buffer.obis }
  if (!answers.wasAsked({ ...reference, attribute: profileGeneric.buffer })) return []
  if (isEmpty(answers, buffer)) return []
  const data = answers.get({ ...reference, attribute: profileGeneric.buffer })
  if (data.type !== 'array' && data.type !== 'compact-array')
    throw new DlmsFault('DLMS_VALUE', `the buffer of ${buffer.obis} is not an array`)
  const invalid = new Map(profile.registers.map((register) => [register.obis, register.invalid]))
  const columns = columnsIn(answers, profile, buffer)
  const rows = new Rows({ columns, invalid, buffer, zone, order: orderIn(answers, buffer), refusals })
  return data.value
    .flatMap((row) => rows.read(row))
    .flatMap((cell) => {
      const scale = scales.get(cell.obis)
      return scale === undefined ? [] : [{ ...cell, ...scale }]
    })
}

/** A buffer that refused a selection by the clock, and then said that it has no rows, was not asked for them by their place. */
function isEmpty(answers: Answers, { obis }: ProfileBuffer): boolean {
  const of = (attribute: number): DlmsData | undefined => answers.find({ class: profileGeneric.class, obis, attribute })
  const inUse = of(profileGeneric.entriesInUse)
  return of(profileGeneric.buffer) === undefined && inUse !== undefined && integerOf(inUse) === 0n
}

/** A meter that does not show its capture_objects is taken at the profile's word: the number of cells is still held against it. */
function columnsIn(answers: Answers, profile: DlmsProfile, buffer: ProfileBuffer): readonly Column[] {
  const reference = { class: profileGeneric.class, obis: buffer.obis, attribute: profileGeneric.captureObjects }
  const data = answers.find(reference)
  const { registers } = profile
  if (data !== undefined) return columnsOf(captureObjectsOf(data), { registers, captures: buffer.captures })
  if (buffer.captures !== undefined) return buffer.captures
  answers.get(reference)
  throw new DlmsFault('DLMS_CAPTURES', `neither the meter nor the profile names the columns of ${buffer.obis}`)
}

interface Order {
  /** what stands above a row was captured before it */
  readonly oldestFirst: boolean
  /** how much later a row is whose clock is "unchanged"; 0 where that is not known */
  readonly periodMs: number
}

/** A day is not always 24 hours, and rows that come in another order do not say which one was before. */
function orderIn(answers: Answers, buffer: ProfileBuffer): Order {
  const number = (attribute: number): number => {
    const data = answers.find({ class: profileGeneric.class, obis: buffer.obis, attribute })
    return Number((data === undefined ? undefined : integerOf(data)) ?? 0)
  }
  const seconds = number(profileGeneric.capturePeriod)
  const oldestFirst = number(profileGeneric.sortMethod) === sortMethods.firstInFirstOut
  return { oldestFirst, periodMs: oldestFirst && seconds < 86_400 ? 1000 * seconds : 0 }
}

interface RowOptions {
  readonly columns: readonly Column[]
  readonly invalid: ReadonlyMap<Obis, readonly bigint[]>
  readonly buffer: ProfileBuffer
  readonly zone: string
  readonly order: Order
  readonly refusals: Refusals
}

/**
 * Reads rows in the order in which they come. Where null-data means "unchanged" a cell stands for the one above it, and an
 * unchanged clock for one period later (Blue Book, class 7, buffer).
 */
class Rows {
  readonly #options: RowOptions
  #count = 0
  #before: readonly (DlmsData | undefined)[] = []
  #moment: Moment | undefined

  constructor(options: RowOptions) {
    this.#options = options
  }

  read(row: DlmsData): { obis: Obis; at: EpochMs; raw: bigint; status: number }[] {
    const { columns, invalid, buffer, order, refusals } = this.#options
    const cells = row.type === 'structure' ? row.value : []
    if (cells.length !== columns.length)
      throw new DlmsFault('DLMS_VALUE', `a row of ${buffer.obis} has ${cells.length} columns, ${columns.length} are captured`)
    const unchanged = buffer.nulls === 'unchanged' && order.oldestFirst
    const filled = cells.map((cell, index) => (unchanged && cell.type === 'null-data' ? this.#before[index] : cell))
    this.#before = filled
    this.#count += 1
    const place = (): string => `row ${this.#count} of ${buffer.obis}`
    this.#moment = refusals.keep(place, () => this.#momentAt(cells[columns.indexOf('clock')]))
    const moment = this.#moment
    // A value that nobody can place in time is no reading: the gap shows and is estimated, a guess would be billed.
    if (moment === undefined) return []
    return columns.flatMap((obis, index) => {
      const cell = filled[index]
      // null-data is "not captured" as well as "unchanged" in the field: unless the profile knows, only a value that was sent is a reading.
      if (obis === 'clock' || obis === 'ignore' || cell === undefined || cell.type === 'null-data') return []
      const raw = refusals.keep(
        () => `${obis} in ${place()}`,
        () => counterOf(cell, invalid.get(obis))
      )
      return raw === undefined ? [] : [{ obis, at: moment.at, raw, status: moment.status }]
    })
  }

  /** Undefined for a row that does not say when it was captured. @throws {DlmsFault} DLMS_DATE as `momentOf` */
  #momentAt(clock: DlmsData | undefined): Moment | undefined {
    const { buffer, zone, order } = this.#options
    const { periodMs } = order
    if (clock === undefined) return undefined
    if (buffer.nulls === 'missing' || clock.type !== 'null-data') return momentOf(clock, zone)
    if (this.#moment === undefined || periodMs === 0) return undefined
    return { ...this.#moment, at: epochMs(this.#moment.at + periodMs) }
  }
}
