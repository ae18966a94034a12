import { AppError } from '@endeks/domain/errors'
import type { Broker } from './broker.js'

/** Where plain text may be heard: by this machine only, by everybody, or nowhere. */
export const plainPolicies = ['loopback', 'anywhere', 'off'] as const
export type PlainPolicy = (typeof plainPolicies)[number]

export interface ListenOptions {
  readonly host: string
  /** of plain text; 0 for any free one */
  readonly port: number
  /** `loopback` by default */
  readonly plain?: PlainPolicy
  readonly tls?: { readonly port: number; readonly directory: string }
}

export interface Listening {
  readonly plain?: { readonly host: string; readonly port: number }
  readonly tls?: { readonly host: string; readonly port: number }
}

const loopbackHost = '127.0.0.1'

/**
 * Opens the broker's ports. Passwords and readings in plain text leave this machine only if somebody has said so.
 *
 * @throws {AppError} CONFIG_INVALID, PORT_TAKEN
 */
export async function listenAsSet(broker: Broker, options: ListenOptions): Promise<Listening> {
  const { host, port, tls } = options
  const plainHost = hostOfPlain(options)
  const plain = plainHost === undefined ? {} : { plain: { host: plainHost, port: await broker.listen(plainHost, port) } }
  return { ...plain, ...(tls === undefined ? {} : { tls: { host, port: await broker.listenTls({ host, ...tls }) } }) }
}

function hostOfPlain({ host, plain = 'loopback', tls }: ListenOptions): string | undefined {
  if (plain === 'off' && tls === undefined) {
    throw new AppError('CONFIG_INVALID', 'ENDEKS_MQTT_PLAIN=off leaves no port at all: set ENDEKS_MQTTS_PORT and ENDEKS_MQTT_TLS_DIRECTORY')
  }
  if (plain === 'off') return undefined
  if (plain === 'anywhere' || isLoopback(host)) return host
  // By TLS from everywhere, in plain text from this machine.
  if (tls !== undefined) return loopbackHost
  const text = `plain text on ${host}: passwords and readings could be read on the way. Set ENDEKS_MQTTS_PORT and ENDEKS_MQTT_TLS_DIRECTORY, or ENDEKS_MQTT_PLAIN=anywhere if the network is trusted`
  throw new AppError('CONFIG_INVALID', text, { host })
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host)
}
