import type { Pool } from '@endeks/database/pool'
import { Broker } from './broker/broker.js'
import { Credentials } from './broker/credentials.js'
import { listenAsSet } from './broker/listening.js'
import type { IngestOptions } from './service.js'
import type { Source, SourceDependencies } from './source.js'
import { liveProofs, readPasswordHash } from './store/credentials.js'

/** Our own broker, unless messages wait in a stream. */
export async function chooseSource(options: IngestOptions, pool: Pool, dependencies: SourceDependencies): Promise<Source> {
  if (options.jetstream === undefined) return new BrokerSource(options, pool, dependencies)
  // Loaded here: whoever needs no NATS does not wait for its client.
  const { JetStreamSource } = await import('./jetstream/source.js')
  return new JetStreamSource(dependencies, options.jetstream)
}

/** The broker, with the ports that it was given. */
class BrokerSource extends Broker implements Source {
  readonly #options: IngestOptions

  constructor(options: IngestOptions, pool: Pool, dependencies: SourceDependencies) {
    const { limits = {}, mqtts } = options
    super({
      ...dependencies,
      credentials: new Credentials((gateway) => readPasswordHash(pool, gateway), dependencies.clock, limits.credentials),
      proofs: liveProofs(pool),
      certificateRequired: mqtts?.certificateRequired ?? false,
      ...(limits.broker === undefined ? {} : { limits: limits.broker })
    })
    this.#options = options
  }

  /** @throws {AppError} PORT_TAKEN, CONFIG_INVALID */
  start() {
    const { mqttHost: host = '127.0.0.1', mqttPort: port = 0, mqttPlain: plain, mqtts: tls } = this.#options
    return listenAsSet(this, { ...{ host, port }, ...(plain === undefined ? {} : { plain }), ...(tls === undefined ? {} : { tls }) })
  }
}
