import { configInvalid, leastSecretLength, loadConfig } from '@endeks/domain/process'
import Type, { type Static } from 'typebox'

const Path = Type.String({ minLength: 1, maxLength: 4_096 })
/** opens the meters' keys; needed only where a meter has any */
const KeySecret = Type.String({ minLength: leastSecretLength, maxLength: 1_024 })

/** What a gateway must not read from a file that lies beside others: its password and the secret that opens the meters' keys; and where its spool and keys are. */
const EnvironmentSchema = Type.Object({
  spool: Path,
  /** needed unless the broker knows the gateway by its certificate */
  password: Type.Optional(Type.String({ minLength: 1, maxLength: 1_024 })),
  /** beside the spool unless told */
  keys: Type.Optional(Path),
  keySecret: Type.Optional(KeySecret)
})
export type GatewayEnvironment = Static<typeof EnvironmentSchema>

/** What there is of it for a verb that neither spools nor publishes. */
const KeyEnvironmentSchema = Type.Object({ spool: Type.Optional(Path), keys: Type.Optional(Path), keySecret: Type.Optional(KeySecret) })

type Variables = Readonly<Record<string, string | undefined>>

const keyNames = { spool: 'ENDEKS_SPOOL', keys: 'ENDEKS_KEYS', keySecret: 'ENDEKS_KEY_SECRET' } as const

export function loadEnvironment(environment: Variables): GatewayEnvironment {
  return loadConfig(EnvironmentSchema, { ...keyNames, password: 'ENDEKS_MQTT_PASSWORD' }, environment)
}

/** @throws {AppError} CONFIG_INVALID when the gateway has nothing by which the broker could know it */
export function checkPassword(environment: GatewayEnvironment, hasCertificate: boolean): void {
  if (environment.password !== undefined || hasCertificate) return
  const message = 'is missing: the password at the broker, unless the site file has a certificate under /mqtt/tls'
  throw configInvalid('the environment', [{ path: 'ENDEKS_MQTT_PASSWORD', message }])
}

/** Where a gateway keeps keys and counters, and the secret that opens the keys. */
export interface KeyPlace {
  readonly directory: string | undefined
  readonly secret: string | undefined
}

export function keyPlaceOf({ spool, keys, keySecret }: Static<typeof KeyEnvironmentSchema>): KeyPlace {
  return { directory: keys ?? (spool === undefined ? undefined : `${spool}-keys`), secret: keySecret }
}

export function loadKeyPlace(environment: Variables): KeyPlace {
  return keyPlaceOf(loadConfig(KeyEnvironmentSchema, keyNames, environment))
}

/** @throws {AppError} CONFIG_INVALID naming what is missing for a verb that cannot do without keys */
export function neededKeyPlace({ directory, secret }: KeyPlace): { readonly directory: string; readonly secret: string } {
  if (directory !== undefined && secret !== undefined) return { directory, secret }
  throw configInvalid('the environment', [
    ...(directory === undefined ? [{ path: 'ENDEKS_KEYS', message: 'is missing: the directory of the keys' }] : []),
    ...(secret === undefined ? [{ path: 'ENDEKS_KEY_SECRET', message: 'is missing: it opens the keys' }] : [])
  ])
}
