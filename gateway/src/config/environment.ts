import { loadConfig } from '@endeks/domain/process'
import Type, { type Static } from 'typebox'

/** What a gateway must not read from a file that lies beside others: its password and the secret that opens the meters' keys; and where its spool and keys are. */
const EnvironmentSchema = Type.Object({
  spool: Type.String({ minLength: 1, maxLength: 4_096 }),
  password: Type.String({ minLength: 1, maxLength: 1_024 }),
  /** beside the spool unless told */
  keys: Type.Optional(Type.String({ minLength: 1, maxLength: 4_096 }))
})
export type GatewayEnvironment = Static<typeof EnvironmentSchema>

export function loadEnvironment(environment: Readonly<Record<string, string | undefined>>): GatewayEnvironment {
  return loadConfig(EnvironmentSchema, { spool: 'ENDEKS_SPOOL', password: 'ENDEKS_MQTT_PASSWORD', keys: 'ENDEKS_KEYS' }, environment)
}
