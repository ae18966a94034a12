import type { PollPlan } from './poll-plan.js'

interface Waiting {
  readonly plan: PollPlan
  readonly turn: number
}

/** The polls that wait for one bus: one at a time, each meter at most once, in the order of their turns. */
export class BusQueue {
  readonly #converse: (plan: PollPlan) => Promise<void>
  /** waiting or being read */
  readonly #taken = new Set<PollPlan>()
  readonly #waiting: Waiting[] = []
  #busy = false

  constructor(converse: (plan: PollPlan) => Promise<void>) {
    this.#converse = converse
  }

  /**
   * Takes a meter in when it's due and not taken already, and has the bus work until nobody waits.
   *
   * @throws what the conversation threw; the queue is of no use after that
   */
  async add(plan: PollPlan): Promise<void> {
    if (this.#taken.has(plan) || plan.due() === undefined) return
    this.#taken.add(plan)
    this.#waiting.push({ plan, turn: plan.turn() })
    if (this.#busy) return
    this.#busy = true
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      await this.#converse(next)
      this.#taken.delete(next)
    }
    this.#busy = false
  }

  /** The one whose turn is earliest; of two alike the one that came first. A bus has at most some hundred meters. */
  #next(): PollPlan | undefined {
    let best = 0
    for (const [index, each] of this.#waiting.entries()) {
      if (each.turn < (this.#waiting[best]?.turn ?? Number.POSITIVE_INFINITY)) best = index
    }
    return this.#waiting.splice(best, 1)[0]?.plan
  }
}
