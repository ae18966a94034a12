import { createServer, type Server, type Socket } from 'node:net'
import { AppError, asError } from '@endeks/domain/errors'
import { type GatewayId, gatewayId } from '@endeks/domain/identifiers'
import type { Log } from '@endeks/domain/process'
import { topicFor } from '@endeks/domain/wire'
import { Aedes, type AedesOptions, type Client, type ConnectPacket, type PublishPacket, type Subscription } from 'aedes'
import type { Incoming } from '../accept/prepare.js'
import { foreignFormatOf, isOwnCommandFilter, isOwnDeathTopic } from '../formats/index.js'
import type { KillPoint } from '../kill-points.js'
import type { Statistics } from '../statistics.js'
import {
  type ConnackCode,
  type ConnectLimits,
  connackCode,
  defaultConnectLimits,
  holdMs,
  judgeConnect,
  type Refusal
} from './connect-rules.js'
import type { Credentials } from './credentials.js'
import { Deliveries, type DeliveryLimits, defaultDeliveryLimits, type Outbox } from './deliveries.js'
import { defaultFrameLimits, type FrameLimits } from './frame-scanner.js'
import { GuardedConnection } from './guarded-connection.js'
import { NothingKept, nothingRouted } from './nothing-kept.js'
import { encodePublish } from './publish-packet.js'

export interface BrokerLimits extends ConnectLimits, FrameLimits, DeliveryLimits {
  readonly connections: number
  /** for the CONNECT to come */
  readonly connectWithinMs: number
  /** for a client to read what it is sent */
  readonly drainWithinMs: number
}

export const defaultBrokerLimits: BrokerLimits = {
  ...defaultConnectLimits,
  ...defaultFrameLimits,
  ...defaultDeliveryLimits,
  connections: 20_000,
  connectWithinMs: 10_000,
  drainWithinMs: 30_000
}

export interface BrokerDependencies {
  readonly credentials: Credentials
  /** resolves when the message is committed */
  readonly accept: (message: Incoming) => Promise<void>
  readonly log: Log
  readonly statistics: Statistics
  readonly killPoint: KillPoint
  readonly limits?: Partial<BrokerLimits>
}

interface ClientState {
  readonly keepaliveS: number
  readonly refusal: Refusal | undefined
  /** while it hears its commands */
  outbox?: Outbox | undefined
  /** where an edge node of Sparkplug hears commands */
  edgeCommands?: string
}

/**
 * The door for gateways. Whatever is not allowed here is refused: a gateway connects under its own name, publishes on three
 * topics of its own and hears one. It routes nothing between clients and keeps nothing: a publish is acknowledged when it is
 * committed, and that is all that becomes of it here. What a gateway hears, the broker itself has sent (`send`).
 */
export class Broker {
  readonly #dependencies: BrokerDependencies
  readonly #limits: BrokerLimits
  readonly #states = new WeakMap<Client, ClientState>()
  readonly #server: Server
  readonly #aedes: Aedes
  readonly #deliveries: Deliveries
  #closing = false

  constructor(dependencies: BrokerDependencies) {
    this.#dependencies = dependencies
    this.#limits = { ...defaultBrokerLimits, ...dependencies.limits }
    this.#deliveries = new Deliveries(this.#limits)
    this.#aedes = new Aedes(this.#options())
    this.#aedes.on('clientError', (client, error) => this.#cut(client, error))
    this.#aedes.on('connectionError', (client, error) => this.#cut(client, error))
    this.#aedes.on('subscribe', (subscriptions, client) => this.#subscribed(subscriptions, client))
    this.#aedes.on('unsubscribe', (topics, client) => this.#unsubscribed(topics, client))
    // Without TCP_NODELAY an acknowledgement waits for the next packet: p50 10 ms instead of 2.
    this.#server = createServer({ noDelay: true }, (socket) => this.#handle(socket))
    this.#server.maxConnections = this.#limits.connections
  }

  #options(): AedesOptions {
    return {
      mq: nothingRouted,
      persistence: new NothingKept((client, messageId) => this.#states.get(client)?.outbox?.acknowledge(messageId)),
      connectTimeout: this.#limits.connectWithinMs,
      drainTimeout: this.#limits.drainWithinMs,
      maxClientsIdLength: 32,
      maxInflightInbound: 20,
      preConnect: (client, packet, done) => done(null, this.#preConnect(client, packet)),
      authenticate: (client, username, password, done) => {
        this.#authenticate(client, username, password).then(
          (refusal) => (refusal === undefined ? done(null, true) : done(this.#refuse(client, refusal), false)),
          (thrown: unknown) => {
            const why = `the credential could not be checked: ${asError(thrown).message}`
            done(this.#refuse(client, { returnCode: connackCode.serverUnavailable, why }), false)
          }
        )
      },
      authorizePublish: (client, packet, done) => this.#publish(client, packet, done),
      authorizeSubscribe: (client, subscription, done) => {
        const { topic } = subscription
        const allowed = topic === topicFor(gatewayId(client.id), 'cmd') || isOwnCommandFilter(client.id, topic)
        if (!allowed) this.#dependencies.statistics.subscriptionsRefused += 1
        // A null subscription is answered with 0x80, failure (MQTT 3.1.1, 3.9.3).
        done(null, allowed ? subscription : null)
      },
      authorizeForward: () => null
    }
  }

  /** @throws {AppError} PORT_TAKEN */
  async listen(host: string, port: number): Promise<number> {
    await this.#aedes.listen()
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (error: NodeJS.ErrnoException) => {
        const taken = error.code === 'EADDRINUSE'
        const text = `${host}:${port} is taken by another program; set ENDEKS_MQTT_PORT to a free port, or stop it`
        reject(taken ? new AppError('PORT_TAKEN', text, { port, setting: 'ENDEKS_MQTT_PORT' }, error) : error)
      })
      this.#server.listen(port, host, resolve)
    })
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new AppError('INTERNAL', 'the broker has no port')
    return address.port
  }

  /** Takes no new connections and no new messages; those under way are still acknowledged. */
  refuseMessages(): void {
    this.#closing = true
    this.#server.close()
  }

  /** @see Deliveries.send */
  send(gateway: GatewayId, payload: string | Buffer): Promise<boolean> {
    return this.#deliveries.send(gateway, payload)
  }

  isReachable(gateway: GatewayId): boolean {
    return this.#deliveries.isReachable(gateway)
  }

  /** Tells when a gateway begins to hear its commands. @returns how not to be told any more */
  onReachable(listener: (gateway: GatewayId) => void): () => void {
    return this.#deliveries.onReachable(listener)
  }

  async close(): Promise<void> {
    this.refuseMessages()
    if (!this.#aedes.closed) await new Promise<void>((resolve) => this.#aedes.close(() => resolve()))
  }

  #handle(socket: Socket): void {
    const connection = new GuardedConnection(socket, this.#limits)
    const client = this.#aedes.handle(connection)
    connection.once('close', () => this.#deaf(client))
  }

  /** Refusals wait for `authenticate`, which answers them with a CONNACK; here the connection would only be closed. */
  #preConnect(client: Client, packet: ConnectPacket): boolean {
    const { clientId, keepalive: keepaliveS = 0, will } = packet
    // Sparkplug insists on a will. Nobody here would hear it, so it is taken off; no other is let in at all.
    const hasWill = will !== undefined && will !== null && !isOwnDeathTopic(clientId, will.topic)
    delete packet.will
    const refusal = judgeConnect({ clientId, keepaliveS, hasWill }, this.#limits)
    this.#states.set(client, { keepaliveS, refusal })
    // The broker keeps no sessions; "session present: 0" tells whoever asked for one.
    packet.clean = true
    return !this.#closing
  }

  async #authenticate(client: Client, username: string | undefined, password: Buffer | undefined): Promise<Refusal | undefined> {
    const refusal = this.#states.get(client)?.refusal
    if (refusal !== undefined) return refusal
    const wrong = { returnCode: connackCode.notAuthorized, why: 'wrong gateway name or password' }
    if (username !== client.id || password === undefined) return wrong
    if (!(await this.#dependencies.credentials.check(client.id, password))) return wrong
    this.#dependencies.statistics.connections += 1
    return undefined
  }

  #refuse(client: Client, refusal: Refusal): Error & { returnCode: ConnackCode } {
    this.#dependencies.statistics.connectsRefused += 1
    this.#dependencies.log.warn('a connect was refused', { client: client.id, why: refusal.why })
    return Object.assign(new Error(refusal.why), { returnCode: refusal.returnCode })
  }

  /** The acknowledgement waits for `done`: Aedes sends it as soon as, and only if, this hook has agreed. */
  #publish(client: Client | null, packet: PublishPacket, done: (error?: Error | null) => void): void {
    if (client === null || this.#closing) {
      done(new AppError('TIMEOUT', 'the broker is about to stop; send again later'))
      return
    }
    const { topic, retain, qos } = packet
    const payload = typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload
    const gateway = gatewayId(client.id)
    const refused = refusalOf(retain, qos, topic)
    // Nothing of it stays in the broker's memory, as a retained message or otherwise.
    packet.payload = Buffer.alloc(0)
    packet.retain = false
    const tell = (on: string, told: Buffer): void => this.#tellEdgeNode(client, on, told)
    const message = { gateway, topic, payload, tell, ...(refused === undefined ? {} : { refused }) }
    const keepaliveS = this.#states.get(client)?.keepaliveS ?? this.#limits.leastKeepaliveS
    within(this.#dependencies.accept(message), holdMs(keepaliveS)).then(
      () => {
        this.#dependencies.killPoint('broker:before-acknowledge')
        done(null)
      },
      (thrown: unknown) => {
        this.#dependencies.statistics.messagesUnacknowledged += 1
        done(asError(thrown))
      }
    )
  }

  /** With QoS 0, as Sparkplug wants its commands; whether one arrived shows in what the edge node does. */
  #tellEdgeNode(client: Client, topic: string, payload: Buffer): void {
    if (this.#states.get(client)?.edgeCommands === topic && !client.closed) client.conn.write(encodePublish({ topic, payload }))
  }

  #subscribed(subscriptions: readonly Subscription[], client: Client): void {
    const state = this.#states.get(client)
    const gateway = gatewayId(client.id)
    const edge = subscriptions.find(({ topic, qos }) => qos <= 2 && isOwnCommandFilter(gateway, topic) && !topic.endsWith('+'))
    if (state !== undefined && edge !== undefined) state.edgeCommands = edge.topic
    // The QoS of what was refused is 0x80 by now. With QoS 0 nobody knows whether a command arrived, so it is not sent.
    const hears = subscriptions.some(({ topic, qos }) => topic === topicFor(gateway, 'cmd') && (qos === 1 || qos === 2))
    if (!hears || state === undefined || state.outbox !== undefined || client.closed) return
    state.outbox = this.#deliveries.open(gateway, (bytes) => client.conn.write(bytes))
  }

  #unsubscribed(topics: readonly string[], client: Client): void {
    if (topics.includes(topicFor(gatewayId(client.id), 'cmd'))) this.#deaf(client)
  }

  #deaf(client: Client): void {
    const state = this.#states.get(client)
    if (state?.outbox === undefined) return
    this.#deliveries.close(gatewayId(client.id), state.outbox)
    state.outbox = undefined
  }

  #cut(client: Client, error: Error): void {
    if ('returnCode' in error) return
    this.#dependencies.statistics.connectionsCut += 1
    this.#dependencies.log.warn('a connection was cut', { client: client.id ?? null, why: error.message })
  }
}

/**
 * A publish that is not allowed is kept as a dead letter and acknowledged: MQTT 3.1.1 knows only that or closing the connection
 * (3.3.5), after which the gateway would send the same again for ever and never come to its next message. Sparkplug's reports
 * are without acknowledgement by its specification.
 */
function refusalOf(retain: boolean, qos: number, topic: string): AppError | undefined {
  if (retain) return new AppError('MESSAGE_MALFORMED', 'retained messages are not taken')
  if (qos === 0 && foreignFormatOf(topic)?.name === 'sparkplug') return undefined
  if (qos !== 1) return new AppError('MESSAGE_MALFORMED', `publish with QoS 1, not ${qos}`)
  return undefined
}

async function within(work: Promise<void>, milliseconds: number): Promise<void> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new AppError('TIMEOUT', `not stored within ${milliseconds} ms; send it again`)), milliseconds)
  })
  return Promise.race([work, timeout]).finally(() => clearTimeout(timer))
}
