import type { EpochMs } from '@endeks/domain/time'
import { Chance } from './chance.js'
import { type Occasion, strikes } from './schedule.js'
import type { LineFault } from './schema.js'

/** What one meter would say, on a line without faults. */
export interface Answer {
  /** as in the site file */
  readonly address: string
  readonly bytes: Uint8Array
}

/** Bytes that go out some time after those before them. */
export interface TimedChunk {
  readonly afterMs: number
  readonly bytes: Uint8Array
}

export interface LineFaultsOptions {
  readonly seed: number
  /** of the whole bus: they strike whoever answers, and also where nobody does */
  readonly bus: readonly LineFault[]
  /** by address */
  readonly meters: ReadonlyMap<string, readonly LineFault[]>
}

interface Struck {
  readonly fault: LineFault
  readonly chance: Chance
}

/** Babble comes in chunks of this pace. */
const babbleEveryMs = 10

/**
 * What a line makes of the answers to a request. It works on bytes and knows no protocol. Which fault strikes which answer
 * follows from the seed, the address and how many answers there were before, over all connections: nothing is random.
 */
export class LineFaults {
  readonly #options: LineFaultsOptions
  readonly #counts = new Map<string, number>()
  readonly #lastAnswers = new Map<string, Uint8Array>()

  constructor(options: LineFaultsOptions) {
    this.#options = options
  }

  /**
   * The chunks that the master gets. Never ends where a fault never stops sending.
   *
   * @param answers of all meters that took the request for theirs: none, one, or several at once, which mix
   */
  *spoil(request: Uint8Array, answers: readonly Answer[], at: EpochMs): Generator<TimedChunk> {
    const ofBus = this.#struck('', this.#options.bus, at)
    if (ofBus.some(({ fault }) => fault.type === 'silence')) return
    const struck = [...ofBus]
    const heard: Uint8Array[] = []
    for (const answer of answers) {
      const own = this.#struck(answer.address, this.#options.meters.get(answer.address) ?? [], at)
      if (own.some(({ fault }) => fault.type === 'silence')) continue
      struck.push(...own)
      const bytes = this.#orForeign(answer, [...ofBus, ...own])
      this.#lastAnswers.set(answer.address, answer.bytes)
      if (bytes !== undefined) heard.push(bytes)
    }
    yield* chunksOf(request, collide(heard), struck)
  }

  #struck(address: string, faults: readonly LineFault[], at: EpochMs): Struck[] {
    const count = (this.#counts.get(address) ?? 0) + 1
    this.#counts.set(address, count)
    const { seed } = this.#options
    const occasion: Occasion = { seed, address, count, at }
    return faults.flatMap((fault, index) => {
      const name = `${index} ${fault.type}`
      return strikes(fault, name, occasion) ? [{ fault, chance: new Chance(seed, address, name, count, 'bytes') }] : []
    })
  }

  #orForeign(answer: Answer, struck: readonly Struck[]): Uint8Array | undefined {
    for (const { fault } of struck) {
      if (fault.type !== 'foreign') continue
      const others = [...this.#lastAnswers].filter(([address]) => address !== answer.address)
      return others.find(([address]) => fault.address === undefined || fault.address === address)?.[1]
    }
    return answer.bytes
  }
}

/**
 * What a line carries while several meters send at once. Each of them pulls it to 0 for its zeros, so that a bit is 1 only
 * where all of them send 1 or nothing (EN 13757-2: the currents of the slaves add up).
 */
export function collide(answers: readonly Uint8Array[]): Uint8Array {
  const mixed = new Uint8Array(Math.max(0, ...answers.map((bytes) => bytes.length))).fill(0xff)
  for (const bytes of answers) for (const [index, byte] of bytes.entries()) mixed[index] = (mixed[index] ?? 0xff) & byte
  return mixed
}

function* chunksOf(request: Uint8Array, answer: Uint8Array, struck: readonly Struck[]): Generator<TimedChunk> {
  let [bytes, rest] = [answer, new Uint8Array()]
  let [afterMs, restAfterMs] = [0, 0]
  let echo = new Uint8Array()
  for (const { fault, chance } of struck) {
    if (fault.type === 'echo') echo = Uint8Array.from(request)
    else if (fault.type === 'late') afterMs += fault.byMs
    else if (fault.type === 'half') {
      const middle = Math.ceil(bytes.length / 2)
      if (fault.restAfterMs !== undefined) [rest, restAfterMs] = [bytes.slice(middle), fault.restAfterMs]
      bytes = bytes.subarray(0, middle)
    } else bytes = damaged(bytes, fault, chance)
  }
  if (echo.length > 0) yield { afterMs: 0, bytes: echo }
  if (bytes.length > 0) yield { afterMs, bytes }
  if (rest.length > 0) yield { afterMs: restAfterMs, bytes: rest }
  for (const { fault, chance } of struck) if (fault.type === 'babble') yield* babble(fault.bytesPerSecond, chance)
}

function damaged(bytes: Uint8Array, fault: LineFault, chance: Chance): Uint8Array {
  if (fault.type === 'noise') {
    const inside = 1 + chance.below(bytes.length - 1)
    const place = fault.place === 'before' ? 0 : fault.place === 'after' ? bytes.length : Math.min(inside, bytes.length)
    return Uint8Array.of(...bytes.subarray(0, place), ...chance.bytes(fault.bytes), ...bytes.subarray(place))
  }
  if (fault.type === 'flipped') {
    const flipped = Uint8Array.from(bytes)
    const bits = new Set<number>()
    while (bits.size < Math.min(fault.bits, 8 * bytes.length)) bits.add(chance.below(8 * bytes.length))
    for (const bit of bits) flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7))
    return flipped
  }
  if (fault.type !== 'lost' && fault.type !== 'doubled') return bytes
  const count = Math.min(fault.bytes, bytes.length)
  const place = chance.below(bytes.length - count + 1)
  const [before, touched, after] = [bytes.subarray(0, place), bytes.subarray(place, place + count), bytes.subarray(place + count)]
  return fault.type === 'lost' ? Uint8Array.of(...before, ...after) : Uint8Array.of(...before, ...touched, ...touched, ...after)
}

function* babble(bytesPerSecond: number, chance: Chance): Generator<TimedChunk> {
  let owed = 0
  for (let afterMs = 0; ; afterMs = babbleEveryMs) {
    owed += (bytesPerSecond * babbleEveryMs) / 1_000
    const count = Math.floor(owed)
    owed -= count
    yield { afterMs, bytes: chance.bytes(count) }
  }
}
