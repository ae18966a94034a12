import { AppError, asError } from '@endeks/domain/errors'
import { type GatewayId, gatewayId } from '@endeks/domain/identifiers'
import type { Log } from '@endeks/domain/process'
import type { Clock } from '@endeks/domain/time'
import { topicFor } from '@endeks/domain/wire'
import { Aedes, type AedesOptions, type Client, type ConnectPacket, type PublishPacket, type Subscription } from 'aedes'
import type { Incoming } from '../accept/prepare.js'
import type { Pressure } from '../accept/pressure.js'
import { foreignFormatOf, isOwnCommandFilter, isOwnDeathTopic } from '../formats/index.js'
import type { KillPoint } from '../kill-points.js'
import type { Statistics } from '../statistics.js'
import { Addresses, faultPoints } from './addresses.js'
import { authenticate } from './authentication.js'
import { type BrokerLimits, defaultBrokerLimits } from './broker-limits.js'
import { Complaints } from './complaints.js'
import { type ConnackCode, connackCode, holdMs, judgeConnect, type Refusal } from './connect-rules.js'
import type { Credentials } from './credentials.js'
import { Deliveries, type Outbox } from './deliveries.js'
import { type Arrival, Door } from './door.js'
import { Gateways } from './gateways.js'
import { GuardedConnection } from './guarded-connection.js'
import { NothingKept, nothingRouted } from './nothing-kept.js'
import { encodePublish } from './publish-packet.js'
import { ConnectionCut, type CutReason, type RefusalReason } from './reasons.js'
import { type LiveProofs, type Session, Sessions } from './sessions.js'
import { readTlsFiles } from './tls-files.js'
import { TlsWatch } from './tls-watch.js'

export interface BrokerDependencies {
  readonly credentials: Credentials
  readonly proofs: LiveProofs
  /** resolves when the message is committed */
  readonly accept: (message: Incoming) => Promise<void>
  /** while it is high, nothing is read */
  readonly pressure: Pressure
  readonly clock: Clock
  readonly log: Log
  readonly statistics: Statistics
  readonly killPoint: KillPoint
  /** whether a password is not enough for who comes by TLS */
  readonly certificateRequired?: boolean
  readonly limits?: Partial<BrokerLimits>
}

export interface TlsAddress {
  readonly host: string
  readonly port: number
  /** where ca.pem, server.pem and server-key.pem are */
  readonly directory: string
}

/** What is known of a client of Aedes. */
interface ClientState {
  readonly arrival: Arrival
  readonly connection: GuardedConnection
  keepaliveS: number
  refusal?: Refusal | undefined
  session?: Session
  /** by an error, which is counted */
  ended?: boolean
  /** while it hears its commands */
  outbox?: Outbox | undefined
  /** where an edge node of Sparkplug hears commands */
  edgeCommands?: string
}

/**
 * The door for gateways. Whatever is not allowed here is refused: a gateway connects under its own name, publishes on topics of
 * its own and hears one. It routes nothing between clients and keeps nothing: a publish is acknowledged when it is committed,
 * and that is all that becomes of it here. What a gateway hears, the broker itself has sent (`send`).
 */
export class Broker {
  readonly #dependencies: BrokerDependencies
  readonly #limits: BrokerLimits
  readonly #complaints: Complaints
  readonly #addresses: Addresses
  readonly #gateways: Gateways
  readonly #sessions = new Sessions()
  readonly #deliveries: Deliveries
  readonly #door: Door
  readonly #aedes: Aedes
  readonly #states = new WeakMap<Client, ClientState>()
  /** those of gateways, and those that have yet to say who they are */
  readonly #connections = new Set<GuardedConnection>()
  readonly #timers: NodeJS.Timeout[] = []
  readonly #unwatchPressure: () => void
  #closing = false

  constructor(dependencies: BrokerDependencies) {
    this.#dependencies = dependencies
    this.#limits = { ...defaultBrokerLimits, ...dependencies.limits }
    this.#complaints = new Complaints(dependencies.log)
    this.#addresses = new Addresses(this.#limits)
    this.#gateways = new Gateways(this.#limits)
    this.#deliveries = new Deliveries(this.#limits)
    this.#door = new Door({
      addresses: this.#addresses,
      limits: this.#limits,
      arrived: (arrival) => this.#arrived(arrival),
      refused: (reason, address) => this.#count(reason, 'a connection was refused', { address }),
      handshakeFailed: (address, error) => {
        this.#dependencies.statistics.connectionsCutBy.handshake += 1
        this.#complaints.warn('handshake', 'a TLS handshake failed', { address, why: error.message })
      }
    })
    this.#aedes = new Aedes(this.#options())
    this.#aedes.on('clientError', (client, error) => this.#cut(client, error))
    this.#aedes.on('connectionError', (client, error) => this.#cut(client, error))
    this.#aedes.on('subscribe', (subscriptions, client) => this.#subscribed(subscriptions, client))
    this.#aedes.on('unsubscribe', (topics, client) => this.#unsubscribed(topics, client))
    this.#unwatchPressure = dependencies.pressure.onChange((high) => this.#pressed(high))
  }

  #options(): AedesOptions {
    return {
      mq: nothingRouted,
      persistence: new NothingKept((client, messageId) => this.#states.get(client)?.outbox?.acknowledge(messageId)),
      // Only if our own look at the clock fails.
      connectTimeout: 2 * this.#limits.connectWithinMs,
      drainTimeout: 2 * this.#limits.drainWithinMs,
      maxClientsIdLength: 32,
      maxInflightInbound: 20,
      preConnect: (client, packet, done) => {
        this.#preConnect(client, packet)
        done(null, true)
      },
      authenticate: (client, username, password, done) => {
        this.#authenticate(client, username, password).then(
          (refusal) => (refusal === undefined ? done(null, true) : done(this.#refuse(client, refusal), false)),
          (thrown: unknown) => {
            const why = `the credential could not be checked: ${asError(thrown).message}`
            done(this.#refuse(client, { reason: 'unavailable', returnCode: connackCode.serverUnavailable, why }), false)
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

  /** Listens in plain text. @throws {AppError} PORT_TAKEN */
  async listen(host: string, port: number): Promise<number> {
    await this.#start()
    return this.#door.listenPlain(host, port)
  }

  /** @throws {AppError} PORT_TAKEN, CONFIG_INVALID when the certificate can't be used */
  async listenTls({ host, port, directory }: TlsAddress): Promise<number> {
    const { clock, log } = this.#dependencies
    const material = await readTlsFiles(directory, clock)
    await this.#start()
    const listening = await this.#door.listenTls(host, port, material)
    const watch = new TlsWatch({ directory, clock, log, renew: (renewed) => this.#door.renew(renewed) }, material)
    this.#timers.push(setInterval(() => void watch.look(), this.#limits.lookAtTlsEveryMs))
    return listening
  }

  async #start(): Promise<void> {
    if (!this.#aedes.closed || this.#closing) return
    await this.#aedes.listen()
    let looking = false
    const lookAtProofs = async (): Promise<void> => {
      if (looking) return
      looking = true
      try {
        await this.#sessions.cutRevoked(this.#dependencies.proofs)
      } catch (thrown) {
        this.#dependencies.log.warn('credentials of connected gateways could not be looked at; tried again', { error: asError(thrown) })
      } finally {
        looking = false
      }
    }
    this.#timers.push(
      setInterval(() => this.#sweep(), this.#limits.sweepEveryMs),
      setInterval(() => void lookAtProofs(), this.#limits.lookAtProofsEveryMs),
      setInterval(() => {
        this.#addresses.sweep(performance.now())
        this.#gateways.sweep(performance.now())
      }, forgetEveryMs)
    )
  }

  /** Takes no new connections and no new messages; those under way are still acknowledged. */
  refuseMessages(): void {
    this.#closing = true
    this.#door.stopListening()
    this.#sessions.hold()
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

  /** Whether messages are taken. */
  get listening(): boolean {
    return !this.#closing
  }

  /** Gateways that are connected now. */
  get connected(): number {
    return this.#sessions.size
  }

  async close(): Promise<void> {
    this.refuseMessages()
    this.#unwatchPressure()
    for (const timer of this.#timers) clearInterval(timer)
    if (!this.#aedes.closed) await new Promise<void>((resolve) => this.#aedes.close(() => resolve()))
    for (const connection of this.#connections) connection.destroy()
    await this.#door.close()
  }

  #arrived(arrival: Arrival): void {
    const connection = new GuardedConnection(arrival.socket, this.#limits)
    this.#connections.add(connection)
    const client = this.#aedes.handle(connection)
    this.#states.set(client, { arrival, connection, keepaliveS: this.#limits.leastKeepaliveS })
    connection.once('close', () => {
      this.#connections.delete(connection)
      this.#deaf(client)
      const session = this.#states.get(client)?.session
      if (session !== undefined) this.#sessions.close(session)
    })
  }

  /** Refusals wait for `authenticate`, which answers them with a CONNACK; here the connection would only be closed. */
  #preConnect(client: Client, packet: ConnectPacket): void {
    const state = this.#states.get(client)
    if (state === undefined) return
    const { clientId, keepalive: keepaliveS = 0, will, protocolVersion = 4 } = packet
    // Sparkplug insists on a will. Nobody here would hear it, so it is taken off; no other is let in at all.
    const hasWill = will !== undefined && will !== null && !isOwnDeathTopic(clientId, will.topic)
    delete packet.will
    state.refusal = judgeConnect({ protocolVersion, clientId, keepaliveS, hasWill }, this.#limits)
    state.keepaliveS = keepaliveS
    // The broker keeps no sessions; "session present: 0" tells whoever asked for one.
    packet.clean = true
    // Aedes would cut a client that we don't read from; whether it is silent, we see ourselves (`Sessions.cutSilent`).
    packet.keepalive = 0
  }

  async #authenticate(client: Client, username: string | undefined, password: Buffer | undefined): Promise<Refusal | undefined> {
    const state = this.#states.get(client)
    if (state === undefined || this.#closing) {
      return { reason: 'stopping', returnCode: connackCode.serverUnavailable, why: 'the broker is about to stop; come again later' }
    }
    if (state.refusal !== undefined) return state.refusal
    const { arrival, connection, keepaliveS } = state
    const { admission, secure, certificate } = arrival
    const gateway = gatewayId(client.id)
    const { certificateRequired = false, ...dependencies } = this.#dependencies
    const claim = { gateway, username, password, secure, certificate, heldOff: admission.heldOff() }
    const proof = await authenticate({ ...dependencies, certificateRequired }, claim)
    if ('returnCode' in proof) {
      if (proof.reason === 'password') admission.fault(faultPoints.wrongPassword)
      return proof
    }
    // Whoever left meanwhile takes nobody's place.
    if (connection.destroyed) return undefined
    const allowance = this.#gateways.admit(gateway, this.#sessions.has(gateway), performance.now())
    if (typeof allowance === 'string') return tooOften(allowance)
    admission.admitted()
    state.session = { gateway, client, connection, admission, proof, keepaliveMs: keepaliveS * 1_000 }
    this.#sessions.open(state.session)
    connection.admit(allowance, () => {
      this.#dependencies.statistics.slowdowns += 1
    })
    if (this.#dependencies.pressure.high) connection.hold(true)
    this.#dependencies.statistics.connections += 1
    return undefined
  }

  #refuse(client: Client, { reason, returnCode, why }: Refusal): Error & { returnCode: ConnackCode } {
    const address = this.#states.get(client)?.arrival.admission.address
    this.#count(reason, 'a connect was refused', { client: client.id, address, why })
    return Object.assign(new Error(why), { returnCode })
  }

  #count(reason: RefusalReason, message: string, details: Readonly<Record<string, unknown>>): void {
    this.#dependencies.statistics.connectsRefused += 1
    this.#dependencies.statistics.connectsRefusedBy[reason] += 1
    this.#complaints.warn(reason, message, details)
  }

  /** The acknowledgement waits for `done`: Aedes sends it as soon as, and only if, this hook has agreed. */
  #publish(client: Client | null, packet: PublishPacket, done: (error?: Error | null) => void): void {
    const state = client === null ? undefined : this.#states.get(client)
    if (client === null || state?.session === undefined || this.#closing) {
      done(new ConnectionCut('not-stored', 'the broker is about to stop; send again later'))
      return
    }
    const { topic, retain, qos } = packet
    const payload = typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload
    const refused = refusalOf(retain, qos, topic)
    // Nothing of it stays in the broker's memory, as a retained message or otherwise.
    packet.payload = Buffer.alloc(0)
    packet.retain = false
    const tell = (on: string, told: Buffer): void => this.#tellEdgeNode(client, on, told)
    const message = { gateway: state.session.gateway, topic, payload, tell, ...(refused === undefined ? {} : { refused }) }
    const settled = state.connection.underWay()
    within(this.#dependencies.accept(message), holdMs(state.keepaliveS)).then(
      () => {
        settled()
        this.#dependencies.killPoint('broker:before-acknowledge')
        done(null)
      },
      (thrown: unknown) => {
        settled()
        this.#dependencies.statistics.messagesUnacknowledged += 1
        done(new ConnectionCut('not-stored', asError(thrown).message))
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

  #pressed(high: boolean): void {
    if (high) this.#sessions.hold()
    else if (!this.#closing) this.#sessions.release(() => !this.#dependencies.pressure.high)
  }

  #sweep(): void {
    const now = performance.now()
    for (const connection of this.#connections) {
      const cut = connection.overdue(now)
      if (cut !== undefined) connection.destroy(cut)
    }
    this.#sessions.cutSilent(now)
    this.#sessions.cutExpired(this.#dependencies.clock.now())
  }

  #cut(client: Client, error: Error): void {
    if ('returnCode' in error) return
    const state = this.#states.get(client)
    if (state?.refusal?.reason === 'protocol') {
      this.#refuse(client, state.refusal)
      return
    }
    // What was under way when it was cut fails as well, and is not told again.
    if (state === undefined || state.ended) return
    state.ended = true
    const reason = reasonOf(error)
    if (reason === 'not-mqtt' || reason === 'malformed' || reason === 'packet-size') state.arrival.admission.fault(faultPoints.notMqtt)
    if (reason === 'connect-late') state.arrival.admission.fault(faultPoints.late)
    this.#dependencies.statistics.connectionsCut += 1
    this.#dependencies.statistics.connectionsCutBy[reason] += 1
    const { address } = state.arrival.admission
    this.#complaints.warn(reason, 'a connection was cut', { client: client.id ?? null, address, why: error.message })
  }
}

const forgetEveryMs = 60_000

/** Errors of the network have a code; those of Aedes and its parser have none, and say that a packet was wrong. */
function reasonOf(error: Error): CutReason {
  if (error instanceof ConnectionCut) return error.reason
  if (error.message === 'drain timeout') return 'slow-reader'
  return 'code' in error || error.message === 'connection closed' ? 'network' : 'malformed'
}

function tooOften(reason: RefusalReason): Refusal {
  const why =
    reason === 'take-overs'
      ? 'two devices seem to use the name of this gateway: each takes the place of the other'
      : 'it connects too often; once a minute is plenty'
  return { reason, returnCode: connackCode.serverUnavailable, why }
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
