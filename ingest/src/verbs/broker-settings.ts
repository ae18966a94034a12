import { AppError } from '@endeks/domain/errors'
import Type, { type Static } from 'typebox'
import { type BrokerLimits, defaultBrokerLimits as limits } from '../broker/broker-limits.js'
import { plainPolicies } from '../broker/listening.js'
import type { IngestOptions } from '../service.js'

const Count = (preset: number) => Type.Integer({ minimum: 1, maximum: 1_000_000, default: preset })
const Port = Type.Integer({ minimum: 0, maximum: 65_535 })

/** Where the broker listens, and what it lets gateways and addresses do. */
export const brokerSettings = {
  mqttHost: Type.String({ minLength: 1, default: '127.0.0.1' }),
  mqttPort: Type.Integer({ minimum: 0, maximum: 65_535, default: 1883 }),
  mqttPlain: Type.Enum([...plainPolicies], { default: 'loopback' }),
  mqttsPort: Type.Optional(Port),
  mqttTlsDirectory: Type.Optional(Type.String({ minLength: 1 })),
  /** whether a gateway that comes by TLS needs one, or may have a password instead */
  mqttCertificates: Type.Enum(['optional', 'required'], { default: 'optional' }),
  mqttConnections: Count(limits.connections),
  gatewayMessagesPerSecond: Count(limits.messagesPerSecond),
  gatewayBytesPerSecond: Type.Integer({ minimum: 1_024, maximum: 1_000_000_000, default: limits.bytesPerSecond }),
  gatewayConnectsPerMinute: Count(limits.connectsPerMinute),
  addressConnections: Count(limits.connectionsPerAddress),
  addressConnectsPerMinute: Count(limits.connectsPerMinutePerAddress),
  addressFaultsPerMinute: Count(limits.faultsPerMinutePerAddress)
}

export const brokerNames = {
  mqttHost: 'ENDEKS_MQTT_HOST',
  mqttPort: 'ENDEKS_MQTT_PORT',
  mqttPlain: 'ENDEKS_MQTT_PLAIN',
  mqttsPort: 'ENDEKS_MQTTS_PORT',
  mqttTlsDirectory: 'ENDEKS_MQTT_TLS_DIRECTORY',
  mqttCertificates: 'ENDEKS_MQTT_CERTIFICATES',
  mqttConnections: 'ENDEKS_MQTT_CONNECTIONS',
  gatewayMessagesPerSecond: 'ENDEKS_GATEWAY_MESSAGES_PER_SECOND',
  gatewayBytesPerSecond: 'ENDEKS_GATEWAY_BYTES_PER_SECOND',
  gatewayConnectsPerMinute: 'ENDEKS_GATEWAY_CONNECTS_PER_MINUTE',
  addressConnections: 'ENDEKS_ADDRESS_CONNECTIONS',
  addressConnectsPerMinute: 'ENDEKS_ADDRESS_CONNECTS_PER_MINUTE',
  addressFaultsPerMinute: 'ENDEKS_ADDRESS_FAULTS_PER_MINUTE'
} as const

const Settings = Type.Object(brokerSettings)
export type BrokerSettings = Static<typeof Settings>

/** @throws {AppError} CONFIG_INVALID for a port without a certificate, or the other way round */
export function listenOptions(settings: BrokerSettings): Pick<IngestOptions, 'mqttHost' | 'mqttPort' | 'mqttPlain' | 'mqtts'> {
  const { mqttHost, mqttPort, mqttPlain, mqttsPort: port, mqttTlsDirectory: directory } = settings
  if ((port === undefined) !== (directory === undefined)) {
    throw new AppError('CONFIG_INVALID', 'ENDEKS_MQTTS_PORT and ENDEKS_MQTT_TLS_DIRECTORY go together: one of them is missing')
  }
  const certificateRequired = settings.mqttCertificates === 'required'
  return {
    mqttHost,
    mqttPort,
    mqttPlain,
    ...(port === undefined || directory === undefined ? {} : { mqtts: { port, directory, certificateRequired } })
  }
}

export function brokerLimits(settings: BrokerSettings): Partial<BrokerLimits> {
  return {
    connections: settings.mqttConnections,
    messagesPerSecond: settings.gatewayMessagesPerSecond,
    bytesPerSecond: settings.gatewayBytesPerSecond,
    connectsPerMinute: settings.gatewayConnectsPerMinute,
    connectionsPerAddress: settings.addressConnections,
    connectsPerMinutePerAddress: settings.addressConnectsPerMinute,
    faultsPerMinutePerAddress: settings.addressFaultsPerMinute
  }
}
