import type { Prepared } from './prepare.js'

/**
 * A message on its way into the tables. What is made of its bytes takes several times the memory that they take, so that it is
 * let go as soon as its rows are made, and made again should they be needed once more.
 */
export class Message {
  readonly bytes: number
  readonly #read: () => Prepared
  readonly #once: boolean
  #prepared: Prepared | undefined

  /** @param once reading it changes what is remembered of others, so that what was read is kept */
  constructor(bytes: number, read: () => Prepared, { once = false }: { readonly once?: boolean } = {}) {
    this.bytes = bytes
    this.#read = read
    this.#once = once
  }

  prepared(): Prepared {
    this.#prepared ??= this.#read()
    return this.#prepared
  }

  letGo(): void {
    if (!this.#once) this.#prepared = undefined
  }
}
