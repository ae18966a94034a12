import Type, { type Static } from 'typebox'
import { loadConfig } from '../config.js'

/** Settings of the operations server, for the configuration of a process that has one. */
export const operationsSettings = {
  /** 0 for any free one; without it there is no such server */
  operationsPort: Type.Optional(Type.Integer({ minimum: 0, maximum: 65_535 })),
  operationsHost: Type.String({ minLength: 1, maxLength: 255, default: '127.0.0.1' })
}

export const operationsNames = { operationsPort: 'ENDEKS_OPERATIONS_PORT', operationsHost: 'ENDEKS_OPERATIONS_HOST' } as const

const Settings = Type.Object(operationsSettings)
export interface OperationsSettings extends Static<typeof Settings> {}

/** Those alone, for a process whose other settings are elsewhere. @throws {AppError} CONFIG_INVALID */
export function loadOperationsSettings(environment: Readonly<Record<string, string | undefined>>): OperationsSettings {
  return loadConfig(Settings, operationsNames, environment)
}
