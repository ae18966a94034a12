import type { PoolClient } from '@endeks/database/pool'
import type { DeviceIdentity } from '@endeks/domain/metering'
import type { Clock, EpochMs } from '@endeks/domain/time'
import { type Connection, type InstalledMeter, type PlaceKey, readAccountVersion, readPlaces } from '../store/places.js'
import type { UnassignedReason } from '../store/unassigned.js'

export interface ResolverLimits {
  /** how often it is asked whether anything was entered since */
  readonly checkMs: number
  /** how long a place is believed to be as it was read, whatever that says */
  readonly believeMs: number
  readonly places: number
}

export const defaultResolverLimits: ResolverLimits = { checkMs: 2_000, believeMs: 60_000, places: 100_000 }

/** Further ahead than this, an instant is a clock that is wrong. */
const futureMs = 5 * 60_000
/** Before this no partition is made, and no meter that is read from afar was built. */
const oldestMs = Date.UTC(1990, 0, 1)

/** The register's id, or why there is none yet. */
export type Resolved = bigint | UnassignedReason

/** The readings of one device that ask for their registers. */
export interface Question {
  readonly place: PlaceKey
  readonly identity: Pick<DeviceIdentity, 'id' | 'manufacturer'>
  /** one for each reading, as is `at` */
  readonly obis: readonly string[]
  readonly at: readonly EpochMs[]
}

interface Entry {
  readonly connections: readonly Connection[]
  readonly readAt: EpochMs
}

/**
 * Finds the register that a reading belongs to: the connection in force at its instant leads to a service point, the
 * installation in force there to a meter, and only if this is the device that answered, its register takes the reading. What
 * is known is believed until something new is entered; a "no" never is without asking again.
 */
export class Resolver {
  readonly #clock: Clock
  readonly #limits: ResolverLimits
  #entries = new Map<string, Entry>()
  #checkedAt = Number.NEGATIVE_INFINITY
  #version = ''

  constructor(clock: Clock, limits: Partial<ResolverLimits> = {}) {
    this.#clock = clock
    this.#limits = { ...defaultResolverLimits, ...limits }
  }

  clear(): void {
    this.#entries.clear()
  }

  /** @returns for each question the answers for its readings, in their order */
  async resolve(client: PoolClient, questions: readonly Question[]): Promise<Resolved[][]> {
    const now = this.#clock.now()
    if (now - this.#checkedAt > this.#limits.checkMs) await this.#check(client, now)
    await this.#load(client, questions, (entry) => entry === undefined || now - entry.readAt > this.#limits.believeMs)
    const answers = questions.map((question) => this.#answer(question, now))
    const open = questions.filter((_, index) => answers[index]?.some((answer) => typeof answer === 'string' && answer !== 'FUTURE'))
    const asked = await this.#load(client, open, (entry) => entry === undefined || entry.readAt < now)
    return asked ? questions.map((question) => this.#answer(question, now)) : answers
  }

  /** A correction supersedes a row and adds another, so whatever changes a place makes a new highest id somewhere. */
  async #check(client: PoolClient, now: EpochMs): Promise<void> {
    this.#checkedAt = now
    const version = await readAccountVersion(client)
    if (version !== this.#version) this.#entries.clear()
    this.#version = version
  }

  async #load(client: PoolClient, questions: readonly Question[], wanted: (entry: Entry | undefined) => boolean): Promise<boolean> {
    const keys = new Map<string, PlaceKey>()
    for (const { place } of questions) {
      const key = keyOf(place)
      if (!keys.has(key) && wanted(this.#entries.get(key))) keys.set(key, place)
    }
    if (keys.size === 0) return false
    const places = [...keys]
    const found = await readPlaces(
      client,
      places.map(([, place]) => place)
    )
    const readAt = this.#clock.now()
    if (this.#entries.size + places.length > this.#limits.places) this.#entries = new Map()
    for (const [index, [key]] of places.entries()) this.#entries.set(key, { connections: found[index] ?? [], readAt })
    return true
  }

  #answer({ place, identity, obis, at }: Question, now: EpochMs): Resolved[] {
    const connections = this.#entries.get(keyOf(place))?.connections ?? []
    // Most readings of a conversation are of one instant, and so of one meter.
    let last: EpochMs | undefined
    let meter: InstalledMeter | UnassignedReason = 'UNKNOWN_CONNECTION'
    return at.map((instant, index) => {
      if (instant !== last) {
        last = instant
        meter = instant > now + futureMs ? 'FUTURE' : meterAt(connections, identity, instant)
      }
      return registerOf(meter, obis[index] ?? '')
    })
  }
}

function keyOf(place: PlaceKey): string {
  return `${place.gateway}\n${place.bus}\n${place.address}`
}

export function resolveAt(
  connections: readonly Connection[],
  question: { readonly identity: Question['identity']; readonly obis: string; readonly at: EpochMs }
): Resolved {
  return registerOf(meterAt(connections, question.identity, question.at), question.obis)
}

function registerOf(meter: InstalledMeter | UnassignedReason, obis: string): Resolved {
  return typeof meter === 'string' ? meter : (meter.registers.get(obis) ?? 'UNKNOWN_REGISTER')
}

/**
 * Of an installation the last instant counts too: the index at which a meter is taken down ends its last segment. The meter
 * that is put up at the same instant goes first; which of the two answered, the identity tells.
 */
function meterAt(connections: readonly Connection[], identity: Question['identity'], at: EpochMs): InstalledMeter | UnassignedReason {
  const connection = connections.find((each) => each.from <= at && at < each.to)
  if (connection === undefined) return 'UNKNOWN_CONNECTION'
  const standing = connection.installations.filter((each) => each.from <= at && at <= each.to && at >= oldestMs)
  if (standing.length === 0) return 'NOT_INSTALLED'
  const meter = standing.sort((a, b) => b.from - a.from).find((each) => isMeter(each, identity))
  return meter ?? (standing.some((each) => at < each.to) ? 'OTHER_DEVICE' : 'NOT_INSTALLED')
}

/** Numbers are compared as they are printed: leading zeros belong to them. */
function isMeter(meter: InstalledMeter, identity: Question['identity']): boolean {
  return meter.serial === identity.id && (identity.manufacturer === undefined || meter.manufacturer === identity.manufacturer)
}
