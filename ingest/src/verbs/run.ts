import { Operations, operationsNames, operationsSettings } from '@endeks/domain/operations'
import { createLog, killPointAt, loadConfig, maskSecrets, runProcess, systemClock } from '@endeks/domain/process'
import Type from 'typebox'
import { startIngest } from '../service.js'
import { brokerLimits, brokerNames, brokerSettings, listenOptions } from './broker-settings.js'
import { commitDurations, ingestChecks, showIngest } from './metrics.js'
import { mirrorNames, mirrorOptions, mirrorSettings } from './mirror-settings.js'

const Config = Type.Object(
  {
    databaseUrl: Type.String({ pattern: '^postgres(ql)?://' }),
    ...brokerSettings,
    lanes: Type.Integer({ minimum: 1, maximum: 8, default: 2 }),
    deadLettersPerDay: Type.Integer({ minimum: 0, maximum: 1_000_000, default: 1_000 }),
    ...operationsSettings,
    ...mirrorSettings,
    /** the name of a kill point, or `name#n` for the nth time, for tests of what a killed process leaves behind; another service's name means nothing here */
    killAt: Type.Optional(Type.String())
  },
  { additionalProperties: false }
)

const names = {
  databaseUrl: 'ENDEKS_DATABASE_URL',
  ...brokerNames,
  lanes: 'ENDEKS_INGEST_LANES',
  deadLettersPerDay: 'ENDEKS_DEAD_LETTERS_PER_DAY',
  ...operationsNames,
  ...mirrorNames,
  killAt: 'ENDEKS_KILL_AT'
} as const

type Variables = Readonly<Record<string, string | undefined>>

/** What would run, secrets masked. @throws {AppError} CONFIG_INVALID with every problem */
export function configInWords(environment: Variables): string {
  return JSON.stringify(maskSecrets(loadConfig(Config, names, environment)), undefined, 2)
}

/** The service itself; it ends by a signal. */
export async function run(environment: Variables): Promise<void> {
  const log = createLog('ingest')
  await runProcess(log, async () => {
    const config = loadConfig(Config, names, environment)
    const { databaseUrl, lanes, deadLettersPerDay, killAt } = config
    const operations = Operations.of('ingest', config, log)
    const running = await startIngest({
      ...{ databaseUrl, log, ...listenOptions(config), ...mirrorOptions(config) },
      clock: systemClock,
      limits: { accept: { lanes, deadLettersPerDay }, broker: brokerLimits(config) },
      killPoint: killPointAt(killAt),
      ...(operations === undefined ? {} : { committed: commitDurations(operations.metrics) })
    })
    const process = { stop: running.stop, ready: { port: running.port, tlsPort: running.tlsPort } }
    if (operations === undefined) return process
    showIngest(operations.metrics, running)
    return operations.show(process, ingestChecks(running))
  })
}
