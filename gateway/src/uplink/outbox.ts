import { type Drawer, drawers, type SpooledMessage } from '../spool/message.js'
import type { Spool } from '../spool/spool.js'
import { NewestFirst, newestFirstMost } from './newest-first.js'
import { Pace, type ReplayRate } from './pace.js'

/** Messages of what had piled up that are read from the disk together: 4 MB at the most. */
const readAtOnce = 64

/**
 * Which messages of the spool leave next over one connection. Live values of now never wait for those that had piled up: of the live lane
 * the newest leave first, newest first; all that is older follows oldest first, at a limited rate, the live lane before stored values.
 */
export class Outbox {
  readonly #spool: Pick<Spool, 'next' | 'range'>
  readonly #pace: Pace
  readonly #newest: NewestFirst
  /** from this number on, a live message was appended since the connection is up */
  readonly #upSince: number
  #liveNext: number
  /** up to where the live lane is replayed */
  #replayTo: number
  readonly #cursor: Record<Drawer, number> = { live: 0, salvaged: 0, backlog: 0 }
  #salvagedDone = false
  /** of what had piled up, read and not handed out yet */
  readonly #read: SpooledMessage[] = []
  readonly #inFlight = new Set<string>()

  constructor(options: { readonly spool: Pick<Spool, 'next' | 'range'>; readonly rate: ReplayRate; readonly newestMost?: number }) {
    const { spool, rate, newestMost = newestFirstMost } = options
    this.#spool = spool
    this.#pace = new Pace(rate)
    this.#newest = new NewestFirst(newestMost)
    this.#upSince = spool.next('live')
    this.#liveNext = this.#upSince
    this.#replayTo = Math.max(0, this.#upSince - 1 - newestMost)
    this.#newest.add({ first: this.#replayTo + 1, last: this.#upSince - 1 })
  }

  /**
   * The next messages to send. Empty: there are none, or they have to wait, which `waitMs` tells.
   *
   * @param room how many may be on the way
   * @param replayRoom of these, how many that had piled up: live values need not wait for the acknowledgement of old ones
   */
  async next(room: number, replayRoom: number): Promise<SpooledMessage[]> {
    this.#lookForNew()
    while (room > 0) {
      const top = this.#newest.next
      if (top === undefined) break
      const live = top.last >= this.#upSince
      const limit = live ? room : Math.min(room, replayRoom, this.#pace.allowance())
      if (limit <= 0) return []
      const first = live ? Math.max(top.first, this.#upSince) : top.first
      const found = await this.#spool.range('live', { first, last: top.last, limit, newestFirst: true })
      const lowest = found.length < limit ? first : (found.at(-1)?.sequence ?? first)
      this.#newest.handedOut(lowest)
      if (found.length > 0) return found.map((message) => this.#handOut(message, live))
    }
    const limit = Math.min(room, replayRoom, this.#pace.allowance())
    return limit <= 0 ? [] : this.#replay(limit)
  }

  /** How long until more may leave; undefined when nothing waits for the pace. */
  get waitMs(): number | undefined {
    const waits = this.#newest.next !== undefined || this.#read.length > 0 || drawers.some((drawer) => this.#waits(drawer))
    return waits ? this.#pace.waitMs() : undefined
  }

  acknowledged({ drawer, sequence }: SpooledMessage): void {
    this.#inFlight.delete(`${drawer}!${sequence}`)
  }

  #lookForNew(): void {
    const next = this.#spool.next('live')
    if (next === this.#liveNext) return
    const fellBack = this.#newest.add({ first: this.#liveNext, last: next - 1 })
    this.#replayTo = Math.max(this.#replayTo, fellBack)
    this.#liveNext = next
  }

  #waits(drawer: Drawer): boolean {
    if (drawer === 'salvaged') return !this.#salvagedDone
    const last = drawer === 'live' ? this.#replayTo : this.#spool.next('backlog') - 1
    return this.#cursor[drawer] < last
  }

  async #replay(limit: number): Promise<SpooledMessage[]> {
    if (this.#read.length === 0) this.#read.push(...(await this.#readOn()))
    return this.#read.splice(0, limit).map((message) => this.#handOut(message, false))
  }

  async #readOn(): Promise<SpooledMessage[]> {
    for (const drawer of drawers) {
      while (this.#waits(drawer)) {
        const last = drawer === 'live' ? this.#replayTo : Number.MAX_SAFE_INTEGER
        const found = await this.#spool.range(drawer, { first: this.#cursor[drawer] + 1, last, limit: readAtOnce })
        const end = found.at(-1)
        if (end !== undefined) this.#cursor[drawer] = end.sequence
        else if (drawer === 'live') this.#cursor.live = last
        else if (drawer === 'salvaged') this.#salvagedDone = true
        else this.#cursor.backlog = Math.max(this.#cursor.backlog, this.#spool.next('backlog') - 1)
        // What fell back after it was sent is there until it is acknowledged.
        const fresh = found.filter(({ sequence }) => !this.#inFlight.has(`${drawer}!${sequence}`))
        if (fresh.length > 0) return fresh
      }
    }
    return []
  }

  #handOut(message: SpooledMessage, live: boolean): SpooledMessage {
    this.#inFlight.add(`${message.drawer}!${message.sequence}`)
    if (live) this.#pace.live(message.bytes)
    else this.#pace.replayed(message.bytes)
    return message
  }
}
