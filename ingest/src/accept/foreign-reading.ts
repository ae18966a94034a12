import type { Pool } from '@endeks/database/pool'
import type { Clock } from '@endeks/domain/time'
import type { ReadingKey } from '../formats/foreign-gateway.js'
import type { ForeignContext } from '../formats/format.js'
import { foreignFormatOf } from '../formats/index.js'
import { Births } from '../formats/sparkplug/births.js'
import type { Statistics } from '../statistics.js'
import { readForeignGateway } from '../store/foreign-gateways.js'
import { ForeignGateways } from './foreign-gateways.js'
import type { Incoming, Prepared } from './prepare.js'

export interface ForeignReadingDependencies {
  readonly pool: Pool
  readonly clock: Clock
  readonly statistics: Statistics
}

/** Profiles of which is remembered that they are stored; beyond it all are forgotten and stored once more, which changes nothing. */
const mostStored = 10_000

/** What is known between the messages of other makers' gateways. */
export class ForeignReading {
  readonly #dependencies: ForeignReadingDependencies
  readonly #gateways: ForeignGateways
  readonly #births = new Births()
  readonly #stored = new Set<string>()

  constructor(dependencies: ForeignReadingDependencies) {
    this.#dependencies = dependencies
    this.#gateways = new ForeignGateways((gateway) => readForeignGateway(dependencies.pool, gateway), dependencies.clock)
  }

  concerns(incoming: Incoming): boolean {
    return incoming.refused === undefined && foreignFormatOf(incoming.topic) !== undefined
  }

  /** Messages are read in the order in which they ask. @throws whatever reading what was entered throws */
  async contextOf(incoming: Incoming): Promise<ForeignContext> {
    const { clock, statistics } = this.#dependencies
    const receivedAt = clock.now()
    return {
      gateway: await this.#gateways.of(incoming.gateway),
      births: this.#births,
      receivedAt,
      gap: (missing) => {
        statistics.foreignMissing += missing
      },
      isStored: (key) => this.#stored.has(nameOf(key))
    }
  }

  stored(message: Prepared): void {
    if (this.#stored.size >= mostStored) this.#stored.clear()
    for (const key of message.profiles ?? []) this.#stored.add(nameOf(key))
  }
}

function nameOf(key: ReadingKey): string {
  return key.hash.toString('base64')
}
