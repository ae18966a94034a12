import { lanes } from '../spool/message.js'
import type { Spool, SpoolBatch } from '../spool/spool.js'

interface Waiting {
  readonly batch: SpoolBatch
  readonly resolve: () => void
  readonly reject: (thrown: unknown) => void
}

/** One write to the disk takes at most so many readouts together. */
const mostReadouts = 256

/**
 * Writes what came in while the disk was busy as one batch. A lone readout is written at once; under load the messages grow
 * and the syncs do not. Whoever writes waits, so what is queued is bounded by the number of buses.
 */
export class GroupWriter {
  readonly #spool: Pick<Spool, 'append'>
  readonly #waiting: Waiting[] = []
  #busy = false

  constructor(spool: Pick<Spool, 'append'>) {
    this.#spool = spool
  }

  write(batch: SpoolBatch): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ batch, resolve, reject })
      if (!this.#busy) void this.#drain()
    })
  }

  async #drain(): Promise<void> {
    this.#busy = true
    while (this.#waiting.length > 0) {
      const taken = this.#waiting.splice(0, mostReadouts)
      for (const lane of lanes) {
        const group = taken.filter(({ batch }) => batch.lane === lane)
        if (group.length > 0) await this.#append(group)
      }
    }
    this.#busy = false
  }

  async #append(group: readonly Waiting[]): Promise<void> {
    const batches = group.map(({ batch }) => batch)
    const [first] = batches
    if (first === undefined) return
    const profiles = new Map(batches.flatMap((batch) => batch.profiles.map((profile) => [profile.hash, profile] as const)))
    try {
      await this.#spool.append({
        lane: first.lane,
        readouts: batches.flatMap((batch) => batch.readouts),
        profiles: [...profiles.values()],
        marks: batches.flatMap((batch) => batch.marks)
      })
      for (const { resolve } of group) resolve()
    } catch (thrown) {
      for (const { reject } of group) reject(thrown)
    }
  }
}
