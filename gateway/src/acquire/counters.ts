/** What happened since the start, by name; failures by their code. */
export class Counters {
  readonly #counts = new Map<string, number>()

  add(name: string, by = 1): void {
    const count = this.get(name) + by
    // What was counted last is last.
    this.#counts.delete(name)
    this.#counts.set(name, count)
  }

  /** Which of these happened last. @returns undefined if none has */
  latest(...names: readonly string[]): string | undefined {
    return [...this.#counts.keys()].filter((name) => names.includes(name)).at(-1)
  }

  get(name: string): number {
    return this.#counts.get(name) ?? 0
  }

  snapshot(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#counts].sort(([left], [right]) => (left < right ? -1 : 1)))
  }
}
