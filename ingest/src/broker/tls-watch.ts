import { asError } from '@endeks/domain/errors'
import type { Log } from '@endeks/domain/process'
import { type Clock, toIso } from '@endeks/domain/time'
import { readTlsFiles, type TlsMaterial } from './tls-files.js'

export interface TlsWatchDependencies {
  readonly directory: string
  readonly clock: Clock
  readonly log: Log
  /** takes the new certificate into use */
  readonly renew: (material: TlsMaterial) => void
}

const warnBeforeMs = 30 * 86_400_000

/**
 * Looks at the files again from time to time, so that a certificate is renewed without a restart. What can't be used is told
 * once, and what was in use stays in use.
 */
export class TlsWatch {
  readonly #dependencies: TlsWatchDependencies
  #inUse: TlsMaterial
  #told = ''

  constructor(dependencies: TlsWatchDependencies, inUse: TlsMaterial) {
    this.#dependencies = dependencies
    this.#inUse = inUse
    this.#warn()
  }

  async look(): Promise<void> {
    const { directory, clock, log, renew } = this.#dependencies
    try {
      const found = await readTlsFiles(directory, clock)
      if (found.identity !== this.#inUse.identity) {
        renew(found)
        this.#inUse = found
        this.#told = ''
        log.info('the certificate of the broker is renewed', { directory, notAfter: toIso(found.notAfter) })
      }
      this.#warn()
    } catch (thrown) {
      this.#tell(asError(thrown).message)
    }
  }

  #warn(): void {
    const { notAfter } = this.#inUse
    if (notAfter - this.#dependencies.clock.now() < warnBeforeMs)
      this.#tell(`it expires at ${toIso(notAfter)}; renew it with "ingest ca server"`)
  }

  #tell(problem: string): void {
    if (this.#told === problem) return
    this.#told = problem
    this.#dependencies.log.warn('the certificate of the broker', { directory: this.#dependencies.directory, problem })
  }
}
