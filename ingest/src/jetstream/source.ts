import { setTimeout as sleep } from 'node:timers/promises'
import { AppError, asError } from '@endeks/domain/errors'
import type { GatewayId } from '@endeks/domain/identifiers'
import { parseTopic, topicFor } from '@endeks/domain/wire'
import { type Consumer, type ConsumerMessages, type JetStreamManager, type JsMsg, jetstream, type StoredMsg } from '@nats-io/jetstream'
import { connect, type NatsConnection, nkeyAuthenticator } from '@nats-io/transport-node'
import type { Listening } from '../broker/listening.js'
import type { Source, SourceDependencies } from '../source.js'
import { LeftBehind } from './left-behind.js'
import { consumerName, inboxPrefix, messagesPrefix, messagesStream } from './names.js'
import { defaultJetStreamLimits, type JetStreamLimits, type JetStreamOptions } from './options.js'
import { SettledMessages } from './settled.js'
import { prepareStreams } from './streams.js'

const reconnectMs = 500
const pauseMs = 250
/** of what is left behind */
const takenAtOnce = 16

interface Connected {
  readonly connection: NatsConnection
  readonly manager: JetStreamManager
  readonly consumer: Consumer
}

/**
 * Takes gateways' messages from the stream that NATS has put them in before it acknowledged them. A message is acknowledged to
 * the stream when it is committed here; one that could not be stored comes again, as does one whose process died, perhaps in
 * another process. So it may come twice, which the tables' keys absorb.
 */
export class JetStreamSource implements Source {
  readonly #dependencies: SourceDependencies
  readonly #options: JetStreamOptions
  readonly #limits: JetStreamLimits
  readonly #stopping = new AbortController()
  /** whether the stream has been told lately that it is under way */
  readonly #inFlight = new Map<JsMsg, boolean>()
  readonly #settled = new SettledMessages()
  #inFlightBytes = 0
  #up = true
  #room: (() => void) | undefined
  #drained: (() => void) | undefined
  #connected: Connected | undefined
  #fetching: ConsumerMessages | undefined
  #working: Promise<unknown> = Promise.resolve()

  constructor(dependencies: SourceDependencies, options: JetStreamOptions) {
    this.#dependencies = dependencies
    this.#options = options
    this.#limits = { ...defaultJetStreamLimits, ...options.limits }
  }

  /** Whether the cluster can be asked. */
  get listening(): boolean {
    return this.#connected !== undefined && this.#up && !this.#stopping.signal.aborted
  }

  /** Gateways connect to NATS. */
  get connected(): number {
    return 0
  }

  /**
   * Hands a command to whichever node the gateway is connected to, which gives it on with QoS 0. Nobody hears whether it has
   * arrived, so it goes again until the gateway has answered or its time is over.
   */
  async send(gateway: GatewayId, payload: string): Promise<boolean> {
    this.#connected?.connection.publish(topicFor(gateway, 'cmd').replaceAll('/', '.'), payload)
    return false
  }

  /** NATS does not tell a client who else is connected. */
  isReachable(): boolean {
    return this.listening
  }

  onReachable(): () => void {
    return () => undefined
  }

  /** @throws {AppError} STREAM_UNREACHABLE, CONFIG_INVALID */
  async start(): Promise<Listening> {
    const connection = await this.#connect()
    const { requestWithinMs: timeout } = this.#limits
    try {
      const client = jetstream(connection, { timeout })
      const manager = await client.jetstreamManager(false)
      await prepareStreams(manager, this.#options, this.#limits)
      const consumer = await client.consumers.get(messagesStream, consumerName)
      this.#connected = { connection, manager, consumer }
      this.#working = Promise.all([
        this.#watch(connection),
        this.#pull(consumer),
        this.#keep(),
        this.#remove(manager),
        this.#search(manager)
      ])
      this.#dependencies.statistics.connections += 1
      return {}
    } catch (thrown) {
      await connection.close()
      throw thrown
    }
  }

  refuseMessages(): void {
    this.#stopping.abort()
    this.#room?.()
  }

  /** What is under way is acknowledged, if it is committed in time; what comes meanwhile goes back to the stream. */
  async close(): Promise<void> {
    this.refuseMessages()
    const connected = this.#connected
    if (connected === undefined || connected.connection.isClosed()) return
    await this.#inTime(this.#inFlight.size === 0 ? Promise.resolve() : new Promise<void>((resolve) => (this.#drained = resolve)))
    this.#fetching?.stop()
    // Without the flush the last acknowledgements would be messages that come again.
    await connected.connection.flush().catch(() => undefined)
    // What stays is found and taken once more.
    await this.#inTime(this.#removeSettled(connected.manager))
    await connected.connection.close()
    await this.#working
  }

  async #inTime(work: Promise<unknown>): Promise<void> {
    const timer = new AbortController()
    await Promise.race([work, sleep(this.#limits.drainWithinMs, undefined, { signal: timer.signal }).catch(() => undefined)])
    timer.abort()
  }

  async #connect(): Promise<NatsConnection> {
    const { servers, seed, authority } = this.#options
    try {
      return await connect({
        ...{ servers: [...servers], inboxPrefix, name: 'endeks-ingest' },
        authenticator: nkeyAuthenticator(new TextEncoder().encode(seed)),
        timeout: this.#limits.requestWithinMs,
        // A cluster that is restarted, or whose configuration is wrong for a while, is waited for: there is nothing else to do.
        ...{ maxReconnectAttempts: -1, reconnectTimeWait: reconnectMs, ignoreAuthErrorAbort: true },
        // Only the addresses that were given: those that nodes tell of each other may not be those of their certificates.
        ignoreClusterUpdates: true,
        ...(servers.some((each) => each.startsWith('tls:')) ? { tls: authority === undefined ? {} : { ca: authority } } : {})
      })
    } catch (thrown) {
      const { message } = asError(thrown)
      throw new AppError('STREAM_UNREACHABLE', `none of ${servers.join(', ')} lets ingest in: ${message}`, {}, thrown)
    }
  }

  async #watch(connection: NatsConnection): Promise<void> {
    const { log, statistics } = this.#dependencies
    for await (const status of connection.status()) {
      if (status.type === 'disconnect') {
        this.#up = false
        log.warn('the connection to NATS is lost', { server: status.server })
      }
      if (status.type === 'reconnect') {
        this.#up = true
        statistics.connections += 1
        log.info('connected to NATS again', { server: status.server })
      }
      if (status.type === 'error') log.error('NATS refuses something', { error: status.error })
    }
  }

  async #pull(consumer: Consumer): Promise<void> {
    const { signal } = this.#stopping
    const { fetchMessages, fetchForMs } = this.#limits
    let failing = false
    for (;;) {
      await this.#roomAndNoPressure()
      if (signal.aborted) return
      try {
        this.#fetching = await consumer.fetch({ max_messages: fetchMessages, expires: fetchForMs })
        for await (const message of this.#fetching) this.#take(message)
        failing = false
      } catch (thrown) {
        // A consumer without a leader, which it is for a moment after a node's death.
        if (!failing && !signal.aborted) this.#dependencies.log.warn('the stream gives nothing; it is asked again', { error: thrown })
        failing = true
        await sleep(pauseMs, undefined, { signal }).catch(() => undefined)
      }
    }
  }

  async #roomAndNoPressure(): Promise<void> {
    const { pressure } = this.#dependencies
    while (!this.#stopping.signal.aborted && (pressure.high || this.#inFlightBytes >= this.#limits.inFlightBytes)) {
      await new Promise<void>((resolve) => {
        const forget = pressure.onChange(() => this.#room?.())
        this.#room = () => {
          forget()
          resolve()
        }
      })
      this.#room = undefined
    }
  }

  #take(message: JsMsg): void {
    const { statistics, log, killPoint } = this.#dependencies
    if (this.#stopping.signal.aborted) {
      message.nak()
      return
    }
    if (message.redelivered) statistics.messagesRedelivered += 1
    const topic = topicOf(message.subject)
    const parsed = parseTopic(topic)
    if (parsed === undefined) {
      // No gateway has rights to such a subject: it is by somebody with more rights than any gateway.
      log.error("a message in the stream is no gateway's and is left out", { subject: message.subject })
      statistics.messagesForeign += 1
      message.term('of no gateway')
      this.#settled.add(message.seq)
      return
    }
    this.#inFlight.set(message, true)
    this.#inFlightBytes += message.data.length
    // A view of the bytes, not a copy: they belong to this message alone.
    const payload = Buffer.from(message.data.buffer, message.data.byteOffset, message.data.byteLength)
    // The gateway is who the server has let publish on this subject.
    this.#dependencies.accept({ gateway: parsed.gateway, topic, payload }).then(
      () => {
        killPoint('broker:before-acknowledge')
        this.#settle(message, () => message.ack())
        this.#settled.add(message.seq)
      },
      (thrown: unknown) => {
        statistics.messagesUnacknowledged += 1
        const { firstDelayMs, longestDelayMs } = this.#limits
        const delay = Math.min(longestDelayMs, firstDelayMs * 2 ** Math.min(20, message.info.deliveryCount - 1))
        log.warn('a message was not stored and comes again', { gateway: parsed.gateway, delay, error: thrown })
        this.#settle(message, () => message.nak(delay))
      }
    )
  }

  #settle(message: JsMsg, answer: () => void): void {
    this.#inFlight.delete(message)
    this.#inFlightBytes -= message.data.length
    if (this.#connected?.connection.isClosed() === false) answer()
    if (this.#inFlightBytes < this.#limits.inFlightBytes) this.#room?.()
    if (this.#inFlight.size === 0) this.#drained?.()
  }

  /** Keeps the stream from giving what is under way to another process. */
  async #keep(): Promise<void> {
    await this.#every(this.#limits.ackWaitMs / 3, () => {
      for (const [message, fresh] of this.#inFlight) {
        if (!fresh) message.working()
        this.#inFlight.set(message, false)
      }
    })
  }

  async #remove(manager: JetStreamManager): Promise<void> {
    await this.#every(this.#limits.removeEveryMs, () => this.#removeSettled(manager))
  }

  async #removeSettled(manager: JetStreamManager): Promise<void> {
    const { statistics, log } = this.#dependencies
    try {
      statistics.messagesTrimmed += await this.#settled.remove(manager, this.#limits.removeAtOnce)
    } catch (thrown) {
      log.warn('committed messages could not be taken out of the stream and are later', { error: thrown })
    }
  }

  async #search(manager: JetStreamManager): Promise<void> {
    const leftBehind = new LeftBehind(manager)
    const taking: Promise<void>[] = []
    await this.#every(this.#limits.searchEveryMs, async () => {
      try {
        for await (const message of leftBehind.find()) {
          if (this.#stopping.signal.aborted || this.#dependencies.pressure.high) break
          if (!this.#settled.has(message.seq)) taking.push(this.#takeLeftBehind(message))
          if (taking.length === takenAtOnce) await Promise.all(taking.splice(0))
        }
      } catch (thrown) {
        if (this.#stopping.signal.aborted) return
        this.#dependencies.log.warn('the stream could not be searched for what is left behind and is later', { error: thrown })
      }
      await Promise.all(taking.splice(0))
    })
  }

  /** What of it is stored already changes nothing. One that can't be stored now is found again. */
  async #takeLeftBehind({ subject, seq, data }: StoredMsg): Promise<void> {
    const { accept, statistics, log } = this.#dependencies
    const topic = topicOf(subject)
    const parsed = parseTopic(topic)
    try {
      const payload = Buffer.from(data.buffer, data.byteOffset, data.byteLength)
      if (parsed !== undefined) await accept({ gateway: parsed.gateway, topic, payload })
      statistics.messagesRedelivered += 1
      this.#settled.add(seq)
    } catch (thrown) {
      statistics.messagesUnacknowledged += 1
      log.warn('a message that was left behind was not stored and is taken later', { gateway: parsed?.gateway, error: thrown })
    }
  }

  async #every(milliseconds: number, work: () => void | Promise<void>): Promise<void> {
    const { signal } = this.#stopping
    while (!signal.aborted) {
      await sleep(milliseconds, undefined, { signal }).catch(() => undefined)
      if (!signal.aborted) await work()
    }
  }
}

function topicOf(subject: string): string {
  return subject.slice(messagesPrefix.length).replaceAll('.', '/')
}
