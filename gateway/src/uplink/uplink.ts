import { asError } from '@endeks/domain/errors'
import type { GatewayId } from '@endeks/domain/identifiers'
import type { Log } from '@endeks/domain/process'
import { topicFor } from '@endeks/domain/wire'
import { connect, type MqttClient } from 'mqtt'
import type { Counters } from '../acquire/counters.js'
import { type Lane, lanes, type Spool, type SpooledMessage } from '../spool/spool.js'
import { BackOff } from './back-off.js'
import { type CommandDesk, CommandLine } from './command-line.js'

export interface UplinkOptions {
  readonly gateway: GatewayId
  readonly url: string
  readonly password: string
  readonly spool: Spool
  readonly log: Log
  readonly counters: Counters
  readonly backOff?: BackOff
  /** without it, no command is heard */
  readonly commands?: CommandDesk
}

/** Unacknowledged messages at most. The broker answers after its commit, so the window is what keeps both sides busy. */
const windowSize = 20
const connectWithinMs = 30_000
/** The broker holds an acknowledgement for 10 s at most; beyond this the line is taken for dead. */
const acknowledgeWithinMs = 45_000

/**
 * From the disk to the broker: at least once, trimmed on PUBACK only, live values before the backlog. Each connection is a new
 * client that begins at the oldest unacknowledged message; the spool, not the MQTT library, is the memory.
 */
export class Uplink {
  readonly #options: UplinkOptions
  readonly #backOff: BackOff
  #session: Session | undefined
  #retry: NodeJS.Timeout | undefined
  #stopped = false

  constructor(options: UplinkOptions) {
    this.#options = options
    this.#backOff = options.backOff ?? new BackOff()
  }

  start(): void {
    if (this.#stopped) return
    this.#session = new Session(this.#options, {
      onUp: () => this.#backOff.reset(),
      onEnd: (reason) => this.#again(reason)
    })
  }

  async stop(): Promise<void> {
    this.#stopped = true
    clearTimeout(this.#retry)
    await this.#session?.close()
  }

  #again(reason: string): void {
    if (this.#stopped) return
    const waitMs = this.#backOff.nextMs()
    this.#options.counters.add('uplink.disconnected')
    this.#options.log.warn('uplink down', { reason, waitMs, waiting: this.#options.spool.state.messages })
    this.#retry = setTimeout(() => this.start(), waitMs)
  }
}

interface SessionEvents {
  readonly onUp: () => void
  /** once, however the connection ended */
  readonly onEnd: (reason: string) => void
}

/** One connection. It ends at its first error, and everything that was not acknowledged belongs to the next. */
class Session {
  readonly #options: UplinkOptions
  readonly #events: SessionEvents
  readonly #client: MqttClient
  readonly #cursor: Record<Lane, number> = { live: 0, backlog: 0 }
  readonly #announced = new Set<string>()
  readonly #unsubscribe: () => void
  readonly #commands: CommandLine | undefined
  #inFlight = 0
  #pumping = false
  #again = false
  #ended = false
  #reason = 'connection closed'

  constructor(options: UplinkOptions, events: SessionEvents) {
    this.#options = options
    this.#events = events
    this.#client = connect(options.url, {
      protocolVersion: 4,
      clientId: options.gateway,
      username: options.gateway,
      password: options.password,
      clean: true,
      keepalive: 60,
      connectTimeout: connectWithinMs,
      reconnectPeriod: 0
    })
    this.#client.on('connect', () => {
      options.log.info('uplink up', { waiting: options.spool.state.messages })
      options.counters.add('uplink.connected')
      events.onUp()
      this.#commands?.open()
      this.#wake()
    })
    this.#client.on('error', (error) => this.#end(error.message))
    this.#client.on('close', () => this.#end(this.#reason))
    this.#unsubscribe = options.spool.onAppend(() => this.#wake())
    this.#commands =
      options.commands &&
      new CommandLine({
        client: this.#client,
        gateway: options.gateway,
        desk: options.commands,
        log: options.log,
        publish: (text) => this.#publish('ack', text),
        onFailure: (reason) => this.#end(reason)
      })
  }

  async close(): Promise<void> {
    this.#ended = true
    this.#unsubscribe()
    this.#commands?.close()
    await this.#client.endAsync(true)
  }

  #end(reason: string): void {
    if (this.#ended) return
    this.#ended = true
    this.#unsubscribe()
    this.#commands?.close()
    this.#client.end(true)
    this.#events.onEnd(reason)
  }

  #wake(): void {
    if (this.#ended || !this.#client.connected) return
    this.#again = true
    if (this.#pumping) return
    this.#pumping = true
    this.#pump().then(
      () => {
        this.#pumping = false
        // What was appended between the last look and here has set the flag again.
        if (this.#again) this.#wake()
      },
      (thrown: unknown) => {
        this.#pumping = false
        this.#end(asError(thrown).message)
      }
    )
  }

  async #pump(): Promise<void> {
    while (this.#again) {
      this.#again = false
      for (const lane of lanes) {
        if (this.#ended || this.#inFlight >= windowSize) return
        const messages = await this.#options.spool.next(lane, this.#cursor[lane], windowSize - this.#inFlight)
        for (const message of messages) await this.#announce(message)
        if (this.#ended) return
        // One behind the other without a pause: the broker takes what comes together as one group.
        for (const message of messages) {
          this.#cursor[lane] = message.sequence
          this.#send(message)
        }
      }
    }
  }

  /** Readings whose profile is unknown could not be explained: the profile is acknowledged before they leave. */
  async #announce(message: SpooledMessage): Promise<void> {
    for (const hash of message.profiles) {
      if (this.#announced.has(hash)) continue
      const content = await this.#options.spool.profile(hash)
      if (content === undefined) continue
      await this.#publish('profiles', JSON.stringify({ v: 1, hash, content }))
      this.#announced.add(hash)
    }
  }

  #send(message: SpooledMessage): void {
    const { spool, counters, log } = this.#options
    this.#inFlight += 1
    this.#publish('readings', message.text)
      .then(async () => {
        this.#inFlight -= 1
        counters.add('uplink.acknowledged')
        counters.add('uplink.readings', message.readings)
        await spool.trim(message.lane, message.sequence)
        this.#wake()
      })
      .catch((thrown: unknown) => {
        if (this.#ended) return
        log.warn('publish failed', { lane: message.lane, sequence: message.sequence, message: asError(thrown).message })
        this.#end(asError(thrown).message)
      })
  }

  #publish(kind: 'readings' | 'profiles' | 'ack', text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const overdue = setTimeout(() => reject(new Error(`no acknowledgement within ${acknowledgeWithinMs} ms`)), acknowledgeWithinMs)
      overdue.unref()
      this.#client.publish(topicFor(this.#options.gateway, kind), text, { qos: 1 }, (error) => {
        clearTimeout(overdue)
        if (error) reject(error)
        else resolve()
      })
    })
  }
}
