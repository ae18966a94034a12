import { gatewayId } from '@endeks/domain/identifiers'
import { topicFor } from '@endeks/domain/wire'
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt'
import { password } from './site.js'

/** A gateway's connection. It does not reconnect by itself, so that a test sees the end of a connection. */
export async function connectGateway(port: number, gateway: string, options: IClientOptions = {}): Promise<MqttClient> {
  const settings: IClientOptions = {
    ...{ clientId: gateway, username: gateway, password, keepalive: 60, reconnectPeriod: 0 },
    ...options
  }
  return mqtt.connectAsync(`mqtt://127.0.0.1:${port}`, settings, false)
}

export function readingsTopic(gateway: string): string {
  return topicFor(gatewayId(gateway), 'readings')
}

/** Publishes and waits for the acknowledgement. */
export async function publish(client: MqttClient, topic: string, payload: string | Buffer): Promise<void> {
  await client.publishAsync(topic, payload, { qos: 1 })
}

export async function ended(client: MqttClient): Promise<void> {
  if (!client.connected) return
  await new Promise<void>((resolve) => client.once('close', () => resolve()))
}
