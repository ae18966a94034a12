import { loadConfig } from '@endeks/domain/process'
import Type, { type Static } from 'typebox'

/** What a gateway must not read from a file that lies beside others: its password; and where its spool is. */
const EnvironmentSchema = Type.Object({
  spool: Type.String({ minLength: 1, maxLength: 4_096 }),
  password: Type.String({ minLength: 1, maxLength: 1_024 })
})
export type GatewayEnvironment = Static<typeof EnvironmentSchema>

export function loadEnvironment(environment: Readonly<Record<string, string | undefined>>): GatewayEnvironment {
  return loadConfig(EnvironmentSchema, { spool: 'ENDEKS_SPOOL', password: 'ENDEKS_MQTT_PASSWORD' }, environment)
}
