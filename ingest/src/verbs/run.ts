import { Operations, operationsNames, operationsSettings } from '@endeks/domain/operations'
import { createLog, killPointAt, loadConfig, maskSecrets, runProcess, systemClock } from '@endeks/domain/process'
import Type from 'typebox'
import { type IngestOptions, startIngest } from '../service.js'
import { brokerLimits, brokerNames, brokerSettings, listenOptions } from './broker-settings.js'
import { jetStreamNames, jetStreamOptions, jetStreamSettings } from './jetstream-settings.js'
import { commitDurations, ingestChecks, showIngest } from './metrics.js'
import { mirrorNames, mirrorOptions, mirrorSettings } from './mirror-settings.js'

/** Where messages come from: our own broker, or NATS JetStream. */
export const sources = ['mqtt', 'jetstream'] as const
export type SourceName = (typeof sources)[number]

const common = {
  databaseUrl: Type.String({ pattern: '^postgres(ql)?://' }),
  lanes: Type.Integer({ minimum: 1, maximum: 8, default: 2 }),
  deadLettersPerDay: Type.Integer({ minimum: 0, maximum: 1_000_000, default: 1_000 }),
  ...operationsSettings,
  ...mirrorSettings,
  /** the name of a kill point, or `name#n` for the nth time, for tests of what a killed process leaves behind; another service's name means nothing here */
  killAt: Type.Optional(Type.String())
}
const strict = { additionalProperties: false } as const
const MqttConfig = Type.Object({ ...common, ...brokerSettings }, strict)
const JetStreamConfig = Type.Object({ ...common, ...jetStreamSettings }, strict)

const commonNames = {
  databaseUrl: 'ENDEKS_DATABASE_URL',
  lanes: 'ENDEKS_INGEST_LANES',
  deadLettersPerDay: 'ENDEKS_DEAD_LETTERS_PER_DAY',
  ...operationsNames,
  ...mirrorNames,
  killAt: 'ENDEKS_KILL_AT'
} as const

type Variables = Readonly<Record<string, string | undefined>>

function configOf(source: SourceName, environment: Variables) {
  if (source === 'jetstream') {
    return { source, ...loadConfig(JetStreamConfig, { ...commonNames, ...jetStreamNames }, environment) } as const
  }
  return { source, ...loadConfig(MqttConfig, { ...commonNames, ...brokerNames }, environment) } as const
}

/** What would run, secrets masked. @throws {AppError} CONFIG_INVALID with every problem */
export function configInWords(source: SourceName, environment: Variables): string {
  return JSON.stringify(maskSecrets(configOf(source, environment)), undefined, 2)
}

/** The service itself; it ends by a signal. */
export async function run(source: SourceName, environment: Variables): Promise<void> {
  const log = createLog('ingest')
  await runProcess(log, async () => {
    const config = configOf(source, environment)
    const { databaseUrl, killAt } = config
    const operations = Operations.of('ingest', config, log)
    const running = await startIngest({
      ...{ databaseUrl, log, ...sourceOptions(config), ...mirrorOptions(config) },
      clock: systemClock,
      killPoint: killPointAt(killAt),
      ...(operations === undefined ? {} : { committed: commitDurations(operations.metrics) })
    })
    const process = { stop: running.stop, ready: { port: running.port, tlsPort: running.tlsPort } }
    if (operations === undefined) return process
    showIngest(operations.metrics, running)
    return operations.show(process, ingestChecks(running))
  })
}

function sourceOptions(config: ReturnType<typeof configOf>): Partial<IngestOptions> {
  const { lanes, deadLettersPerDay } = config
  const accept = { lanes, deadLettersPerDay }
  if (config.source === 'jetstream') return { jetstream: jetStreamOptions(config), limits: { accept } }
  return { ...listenOptions(config), limits: { accept, broker: brokerLimits(config) } }
}
