import { createHmac, randomBytes } from 'node:crypto'
import { AppError } from '@endeks/domain/errors'
import type { Clock } from '@endeks/domain/time'
import { hash as argon2, verify } from '@node-rs/argon2'

export interface CredentialLimits {
  /** how long a password that was right is not computed again */
  readonly rememberMs: number
  readonly remembered: number
  /** computed at once: each takes 19 MB and a thread */
  readonly atOnce: number
  readonly waiting: number
  readonly passwordBytes: number
}

export const defaultCredentialLimits: CredentialLimits = {
  rememberMs: 24 * 3_600_000,
  remembered: 20_000,
  atOnce: 2,
  waiting: 500,
  passwordBytes: 256
}

/**
 * Checks gateways' passwords. The row is read every time, so a revoked credential is refused at once; only the computation
 * is spared for a day, so that a thousand gateways that reconnect together don't cost a minute of CPU. What is remembered of a
 * right password is a digest under a key of this process. An unknown gateway takes the same time as a wrong password.
 */
export class Credentials {
  readonly #readHash: (gateway: string) => Promise<string | undefined>
  readonly #clock: Clock
  readonly #limits: CredentialLimits
  readonly #nobody = argon2('nobody has this password')
  readonly #right = new Map<string, number>()
  readonly #secret = randomBytes(32)
  #running = 0
  readonly #queue: (() => void)[] = []

  constructor(readHash: (gateway: string) => Promise<string | undefined>, clock: Clock, limits: Partial<CredentialLimits> = {}) {
    this.#readHash = readHash
    this.#clock = clock
    this.#limits = { ...defaultCredentialLimits, ...limits }
  }

  /**
   * @param mayCompute false to let in only who is remembered: whoever tries passwords learns nothing then, and the gateway itself
   *   comes in all the same
   * @returns the hash that the password is right for, undefined for a wrong one, or that it would have to be computed
   * @throws {AppError} LOGIN_TOO_MANY when too many wait, or whatever reading the row throws: neither says that the password is wrong
   */
  async check(gateway: string, password: Buffer, mayCompute = true): Promise<{ readonly hash: string } | 'not computed' | undefined> {
    if (password.length > this.#limits.passwordBytes) return undefined
    const hash = await this.#readHash(gateway)
    const key = createHmac('sha256', this.#secret)
      .update(`${gateway}\n${hash ?? ''}\n`)
      .update(password)
      .digest('base64')
    if (hash !== undefined && (this.#right.get(key) ?? 0) > this.#clock.now()) return { hash }
    if (!mayCompute) return 'not computed'
    const right = await this.#compute(hash ?? (await this.#nobody), password)
    if (hash === undefined || !right) return undefined
    this.#remember(key)
    return { hash }
  }

  #remember(key: string): void {
    this.#right.delete(key)
    const oldest = this.#right.size >= this.#limits.remembered ? this.#right.keys().next() : undefined
    if (oldest?.done === false) this.#right.delete(oldest.value)
    this.#right.set(key, this.#clock.now() + this.#limits.rememberMs)
  }

  async #compute(hash: string, password: Buffer): Promise<boolean> {
    if (this.#running >= this.#limits.atOnce) {
      if (this.#queue.length >= this.#limits.waiting) throw new AppError('LOGIN_TOO_MANY', 'too many gateways connect at once; try again')
      await new Promise<void>((go) => this.#queue.push(go))
    } else this.#running += 1
    try {
      return await verify(hash, password)
    } finally {
      const next = this.#queue.shift()
      if (next === undefined) this.#running -= 1
      else next()
    }
  }
}
