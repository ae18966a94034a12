import { setTimeout as delay } from 'node:timers/promises'
import type { Sent } from './framing.js'

/** So many waits after a request was given up, its answer may be on its way still: a slow network keeps one back. */
const dueForWaits = 2
/** For so many the answer is not taken for lost unless a later question was answered. */
const rememberedForWaits = 20

/** A request that was given up, as often as it was. */
export interface Debt {
  readonly sent: Sent
  /** answers that did not come */
  readonly answers: number
  /** resolves when none is likely to come any more */
  readonly due: Promise<unknown>
  readonly forgotten: Promise<unknown>
}

/** The answers that the units of a line still owe. An RTU answer does not say what it answers, so one that is late looks like the next. */
export class Debts {
  readonly #debts = new Map<string, Debt>()

  /** The answer to a request did not come. */
  owe(sent: Sent, withinMs: number): void {
    const key = keyOf(sent)
    const debt = { sent, answers: (this.#debts.get(key)?.answers ?? 0) + 1, due: dueAfter(withinMs) }
    this.#debts.set(key, { ...debt, forgotten: this.#forgetLater(key, withinMs) })
  }

  /** An answer came, and may be to the same request of before: then the one to this is as late as that was. */
  answered(sent: Sent, withinMs: number): void {
    const before = this.#debts.get(keyOf(sent))
    if (before !== undefined) this.#debts.set(keyOf(sent), { ...before, due: dueAfter(withinMs) })
  }

  /** One that was owed came. */
  paid(debt: Debt): void {
    if (debt.answers > 1) this.#debts.set(keyOf(debt.sent), { ...debt, answers: debt.answers - 1 })
    else this.#debts.delete(keyOf(debt.sent))
  }

  /** What could be taken for the answer to a request: those of its unit and function to another. */
  like(sent: Sent): Debt[] {
    return this.of(sent.unit).filter((debt) => debt.sent.pdu[0] === sent.pdu[0] && keyOf(debt.sent) !== keyOf(sent))
  }

  of(unit: number): Debt[] {
    return [...this.#debts.values()].filter(({ sent }) => sent.unit === unit)
  }

  /** A unit answers one question after the other: what it has not answered before a later one, it never will. */
  forgive(unit: number): void {
    for (const { sent } of this.of(unit)) this.#debts.delete(keyOf(sent))
  }

  #forgetLater(key: string, withinMs: number): Promise<unknown> {
    const forgotten = delay(rememberedForWaits * withinMs, undefined, { ref: false })
    void forgotten.then(() => {
      // One that was given up once more since then has its own time.
      if (this.#debts.get(key)?.forgotten === forgotten) this.#debts.delete(key)
    })
    return forgotten
  }
}

function dueAfter(withinMs: number): Promise<unknown> {
  return delay(dueForWaits * withinMs, undefined, { ref: false })
}

function keyOf(sent: Sent): string {
  return Buffer.from(sent.bytes).toString('hex')
}
