import { setTimeout as sleep, setImmediate as tick } from 'node:timers/promises'
import { serveCommands } from '@endeks/database/commands'
import { createPool, type Pool } from '@endeks/database/pool'
import { AppError, asError } from '@endeks/domain/errors'
import type { Log } from '@endeks/domain/process'
import type { Clock } from '@endeks/domain/time'
import { type AcceptLimits, Acceptor } from './accept/acceptor.js'
import { Resolver, type ResolverLimits } from './accept/resolver.js'
import type { BrokerLimits } from './broker/broker-limits.js'
import type { CredentialLimits } from './broker/credentials.js'
import type { PlainPolicy } from './broker/listening.js'
import { chooseSource } from './choose-source.js'
import { type AdoptDependencies, adoptAll, adoptDue, adoptUnassigned } from './commands/adopt.js'
import { downlink } from './commands/downlink.js'
import { typedReading } from './commands/typed-reading.js'
import { type DownlinkLimits, DownlinkWorker } from './downlink/worker.js'
import type { JetStreamOptions } from './jetstream/options.js'
import { type KillPoint, noKillPoint } from './kill-points.js'
import { Mirror, type MirrorLimits } from './mirror/mirror.js'
import type { ReceiverOptions } from './mirror/receiver.js'
import { noStatistics, type Statistics } from './statistics.js'
import { startStorageKeeper } from './storage-keeper.js'
import { countDirty } from './store/dirty.js'
import { ExchangeIds } from './store/exchanges.js'
import { Partitions, withNextMonth } from './store/partitions.js'
import { type VeeLimits, type VeeStatistics, VeeWorker } from './vee/worker.js'

export { type KillPointName, killPoints } from './kill-points.js'

export interface IngestLimits {
  readonly accept: Partial<AcceptLimits>
  readonly broker: Partial<BrokerLimits>
  readonly credentials: Partial<CredentialLimits>
  readonly resolver: Partial<ResolverLimits>
  readonly vee: Partial<VeeLimits>
  readonly downlink: Partial<DownlinkLimits>
  readonly mirror: Partial<MirrorLimits>
  /** how often readings that were ahead of their time are looked at again */
  readonly dueEveryMs: number
}

export interface IngestOptions {
  readonly databaseUrl: string
  readonly mqttHost?: string
  /** of plain text; 0 for any free one */
  readonly mqttPort?: number
  /** where plain text may be heard; `loopback` by default */
  readonly mqttPlain?: PlainPolicy
  readonly mqtts?: { readonly port: number; readonly directory: string; readonly certificateRequired: boolean }
  /** takes messages from NATS JetStream instead; nothing listens for gateways here then */
  readonly jetstream?: JetStreamOptions
  readonly clock: Clock
  readonly log: Log
  readonly limits?: Partial<IngestLimits>
  readonly killPoint?: KillPoint
  /** told how long each batch took to commit */
  readonly committed?: (seconds: number) => void
  /** where readings are mirrored to; nowhere by default */
  readonly mirror?: ReceiverOptions
}

export interface RunningIngest {
  /** where the broker listens in plain text, or by TLS if it does not; 0 when messages come from JetStream */
  readonly port: number
  readonly tlsPort?: number
  /** how it is now */
  state(): IngestState
  /** spans that wait to be validated, counted up to a bound. @throws when the database does not answer */
  backlog(): Promise<number>
  /** @throws when the database does not answer */
  reachDatabase(): Promise<void>
  statistics(): Statistics & { readonly vee: VeeStatistics }
  /** Takes nothing new, stores and acknowledges what is under way, ends. */
  stop(): Promise<void>
}

export interface IngestState {
  /** messages are taken */
  readonly listening: boolean
  readonly connected: number
  /** more is held than can be stored in time */
  readonly pressed: boolean
  readonly heldBytes: number
  /** how far the mirror is behind; undefined without one */
  readonly mirrorLagMs: number | undefined
}

/** A lane's, the validator's, the adoption's and two of the commands, and a few that check passwords or make partitions. */
const connections = 10
/** Writers live five seconds at most: every reader of new rows waits for the oldest of them. */
const statementTimeoutMs = 5_000
const drainWithinMs = 5_000
const dueEveryMs = 60_000

/**
 * Broker, acceptance, validation and commands in one process.
 *
 * @throws {AppError} DATABASE_UNREACHABLE, PORT_TAKEN, CONFIG_INVALID, STREAM_UNREACHABLE
 */
export async function startIngest(options: IngestOptions): Promise<RunningIngest> {
  const { clock, log, limits = {}, killPoint = noKillPoint } = options
  const pool = createPool({
    url: options.databaseUrl,
    role: 'endeks_ingest',
    max: connections,
    applicationName: 'endeks-ingest',
    statementTimeoutMs,
    log
  })
  const statistics = noStatistics()
  const partitions = new Partitions(pool)
  const resolver = new Resolver(clock, limits.resolver)
  const vee = new VeeWorker({
    ...{ pool, partitions, log, killPoint },
    busy: () => acceptor.behind,
    ...(limits.vee === undefined ? {} : { limits: limits.vee })
  })
  const stored = (): void => vee.wake()
  const acceptor = new Acceptor({
    ...{ pool, clock, log, resolver, partitions, killPoint, statistics, stored },
    exchangeIds: new ExchangeIds(),
    ...(options.committed === undefined ? {} : { committed: options.committed }),
    ...(limits.accept === undefined ? {} : { limits: limits.accept })
  })
  const source = await chooseSource(options, pool, {
    ...{ clock, log, statistics, killPoint },
    accept: (message) => acceptor.accept(message),
    pressure: acceptor.pressure
  })
  const downlinks = new DownlinkWorker({
    ...{ pool, clock, log, statistics, killPoint, downlinks: source },
    ...(limits.downlink === undefined ? {} : { limits: limits.downlink })
  })
  try {
    await reach(partitions, clock)
    // Before anybody can connect: whoever begins to listen is noticed.
    downlinks.start()
    const listening = await source.start()
    vee.start()
    const adoption: AdoptDependencies = {
      ...{ pool, resolver, partitions, killPoint },
      currentBatches: () => acceptor.currentBatches(),
      adopted: (count) => {
        statistics.readingsAdopted += count
        if (count > 0) vee.wake()
      }
    }
    const background = startBackground(
      { ...{ pool, clock, log, partitions, stored }, dueEveryMs: limits.dueEveryMs ?? dueEveryMs },
      adoption
    )
    const mirror = startMirror(options, statistics)
    const storage = startStorageKeeper({ databaseUrl: options.databaseUrl, log, partitions })
    log.info('taking messages', { source: options.jetstream === undefined ? 'mqtt' : 'jetstream', ...listening })
    return {
      port: (listening.plain ?? listening.tls)?.port ?? 0,
      ...(listening.tls === undefined ? {} : { tlsPort: listening.tls.port }),
      state: () => ({
        listening: source.listening,
        connected: source.connected,
        pressed: acceptor.pressure.high,
        heldBytes: acceptor.heldBytes,
        mirrorLagMs: mirror?.lagMs()
      }),
      backlog: () => countDirty(pool),
      reachDatabase: async () => {
        await pool.query('select 1')
      },
      statistics: () => ({ ...structuredClone(statistics), vee: vee.statistics() }),
      stop: async () => {
        source.refuseMessages()
        await Promise.race([acceptor.idle(), new Promise((resolve) => setTimeout(resolve, drainWithinMs).unref())])
        // The acknowledgements of what was just stored leave in the next turns of the loop.
        await tick()
        await tick()
        await source.close()
        await downlinks.stop()
        await background.stop()
        await Promise.all([storage.stop(), mirror?.stop()])
        await vee.stop()
        await pool.end()
      }
    }
  } catch (thrown) {
    await source.close()
    await downlinks.stop()
    await vee.stop()
    await pool.end()
    throw thrown
  }
}

function startMirror(options: IngestOptions, statistics: Statistics): Mirror | undefined {
  const { databaseUrl, clock, log, killPoint = noKillPoint, mirror, limits } = options
  if (mirror === undefined) return undefined
  return new Mirror({ databaseUrl, clock, log, killPoint, statistics, receiver: mirror, ...(limits?.mirror && { limits: limits.mirror }) })
}

async function reach(partitions: Partitions, clock: Clock): Promise<void> {
  try {
    await partitions.ensure(withNextMonth(clock.now()))
  } catch (thrown) {
    throw new AppError('DATABASE_UNREACHABLE', `the database can't be used: ${asError(thrown).message}`, {}, thrown)
  }
}

interface BackgroundDependencies {
  readonly pool: Pool
  readonly clock: Clock
  readonly log: Log
  readonly partitions: Partitions
  readonly stored: () => void
  readonly dueEveryMs: number
}

/** The commands, the adoption that a former process may not have finished, and of what becomes due by itself. */
function startBackground(dependencies: BackgroundDependencies, adoption: AdoptDependencies): { readonly stop: () => Promise<void> } {
  const { pool, clock, log, partitions, stored } = dependencies
  const stopping = new AbortController()
  const commands = serveCommands({
    ...{ pool, clock, log },
    owner: 'ingest',
    handlers: {
      'adopt-unassigned': adoptUnassigned(adoption),
      'typed-reading': typedReading({ clock, partitions, stored }),
      downlink: downlink({ clock })
    }
  })
  const adopting = adoptAll(adoption, stopping.signal).catch((thrown: unknown) => {
    log.error('the adoption at the start failed; the next command takes it up', { error: thrown })
  })
  const becomingDue = adoptAsDue(dependencies, adoption, stopping.signal)
  return {
    stop: async () => {
      stopping.abort()
      await commands.stop()
      await Promise.all([adopting, becomingDue])
    }
  }
}

async function adoptAsDue(dependencies: BackgroundDependencies, adoption: AdoptDependencies, signal: AbortSignal): Promise<void> {
  for (;;) {
    await sleep(dependencies.dueEveryMs, undefined, { signal }).catch(() => undefined)
    if (signal.aborted) return
    await adoptDue(adoption, signal).catch((thrown: unknown) => {
      dependencies.log.error('the adoption of what is due failed and is tried again', { error: thrown })
    })
  }
}
