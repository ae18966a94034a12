import { asError } from '@endeks/domain/errors'
import { topicFor } from '@endeks/domain/wire'
import { connect, type MqttClient } from 'mqtt'
import { noKillPoint } from '../kill-points.js'
import type { SpooledMessage } from '../spool/message.js'
import { CommandLine } from './command-line.js'
import { Outbox } from './outbox.js'
import { replayDefaults } from './pace.js'
import { isCertificateError, type TlsContent } from './tls.js'
import type { UplinkOptions } from './uplink.js'

/** Unacknowledged messages at most. The broker answers after its commit, so the window is what keeps both sides busy. */
const windowSize = 20
/** Of these, how many may be of what had piled up: a broker that is slow to acknowledge must not keep live values waiting behind them. */
const replayWindowSize = 16
const connectWithinMs = 30_000
/** The broker holds an acknowledgement for 10 s at most; beyond this the line is taken for dead. */
const acknowledgeWithinMs = 45_000

/** How a connection ended. */
export interface SessionEnd {
  readonly reason: string
  /** whether there was a connection at all */
  readonly up: boolean
  /** whether anything was acknowledged */
  readonly acknowledged: boolean
  /** whether nobody listens where the broker should be */
  readonly gone: boolean
  /** whether one of the two sides did not take the other's certificate */
  readonly certificate: boolean
}

/** One connection. It ends at its first error, and everything that was not acknowledged belongs to the next. */
export class Session {
  readonly #options: UplinkOptions
  readonly #onEnd: (end: SessionEnd) => void
  readonly #client: MqttClient
  readonly #announced = new Set<string>()
  readonly #unsubscribe: () => void
  readonly #commands: CommandLine | undefined
  /** from when the connection is up */
  #outbox: Outbox | undefined
  #inFlight = 0
  #pumping = false
  #again = false
  #paced: NodeJS.Timeout | undefined
  #announcingLosses = false
  #acknowledged = false
  #ended = false
  #reason = 'connection closed'
  #certificate = false
  #gone = false

  /** @param onEnd called once, however the connection ended, unless it was closed from here */
  constructor(options: UplinkOptions, tls: TlsContent, onEnd: (end: SessionEnd) => void) {
    this.#options = options
    this.#onEnd = onEnd
    this.#client = connect(options.url, {
      protocolVersion: 4,
      clientId: options.gateway,
      username: options.gateway,
      ...(options.password === undefined ? {} : { password: options.password }),
      ...tls,
      clean: true,
      keepalive: 60,
      connectTimeout: connectWithinMs,
      reconnectPeriod: 0
    })
    this.#client.on('connect', () => this.#up())
    this.#client.on('error', (error) => this.#failed(error))
    // A refusal that comes after the handshake, as TLS 1.3 has it, is not among what the library tells as an error.
    this.#client.stream?.on('error', (error) => this.#note(error))
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
    this.#release()
    await this.#client.endAsync(true)
  }

  #up(): void {
    const { spool, log, counters, replay = replayDefaults } = this.#options
    this.#outbox = new Outbox({ spool, rate: replay })
    log.info('uplink up', { waiting: spool.state.messages })
    counters.add('uplink.connected')
    this.#commands?.open()
    this.#wake()
  }

  #failed(error: Error): void {
    this.#note(error)
    this.#end(this.#reason)
  }

  #note(error: Error): void {
    if (this.#ended) return
    // Node tries all addresses of a name and tells only of the attempts what went wrong.
    const each = error instanceof AggregateError ? error.errors.map(asError) : [error]
    this.#reason = each.map(({ message }) => message).join(', ')
    this.#gone ||= each.some((one) => 'code' in one && one.code === 'ECONNREFUSED')
    this.#certificate ||= each.some(isCertificateError)
  }

  #end(reason: string): void {
    if (this.#ended) return
    this.#release()
    this.#client.end(true)
    this.#onEnd({
      reason,
      up: this.#outbox !== undefined,
      acknowledged: this.#acknowledged,
      gone: this.#gone,
      certificate: this.#certificate
    })
  }

  #release(): void {
    this.#ended = true
    clearTimeout(this.#paced)
    this.#unsubscribe()
    this.#commands?.close()
  }

  #wake(): void {
    const outbox = this.#outbox
    if (this.#ended || outbox === undefined || !this.#client.connected) return
    this.#announceLosses()
    this.#again = true
    if (this.#pumping) return
    this.#pumping = true
    this.#pump(outbox).then(
      () => {
        this.#pumping = false
        // What was appended between the last look and here has set the flag again.
        if (this.#again) this.#wake()
        else this.#wakeWhenPaced(outbox)
      },
      (thrown: unknown) => {
        this.#pumping = false
        this.#end(asError(thrown).message)
      }
    )
  }

  /** With a full window the next acknowledgement wakes; else the pace may be all that is waited for. */
  #wakeWhenPaced(outbox: Outbox): void {
    if (this.#ended || this.#inFlight >= replayWindowSize) return
    const { waitMs } = outbox
    clearTimeout(this.#paced)
    if (waitMs !== undefined) this.#paced = setTimeout(() => this.#wake(), waitMs)
  }

  async #pump(outbox: Outbox): Promise<void> {
    while (this.#again) {
      this.#again = false
      if (this.#ended || this.#inFlight >= windowSize) return
      const messages = await outbox.next(windowSize - this.#inFlight, replayWindowSize - this.#inFlight)
      for (const message of messages) await this.#announce(message)
      if (this.#ended) return
      // One behind the other without a pause: the broker takes what comes together as one group.
      for (const message of messages) this.#send(message, outbox)
      if (messages.length > 0) this.#again = true
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

  /** One behind the other, beside the messages: a receiver that sees a gap is to know at once what it is. */
  #announceLosses(): void {
    if (this.#announcingLosses || this.#options.spool.losses.length === 0) return
    this.#announcingLosses = true
    this.#publishLosses().then(
      () => {
        this.#announcingLosses = false
        if (!this.#ended) this.#announceLosses()
      },
      (thrown: unknown) => this.#end(asError(thrown).message)
    )
  }

  async #publishLosses(): Promise<void> {
    const { spool, counters } = this.#options
    for (let [loss] = spool.losses; loss !== undefined && !this.#ended; [loss] = spool.losses) {
      await this.#publish('lost', JSON.stringify({ v: 1, ...loss, reason: 'spool-limit' }))
      await spool.forgetLoss(loss)
      counters.add('uplink.lossesAnnounced')
    }
  }

  #send(message: SpooledMessage, outbox: Outbox): void {
    const { spool, counters, log, killPoint = noKillPoint } = this.#options
    this.#inFlight += 1
    this.#publish('readings', message.text)
      .then(async () => {
        this.#inFlight -= 1
        this.#acknowledged = true
        counters.add('uplink.acknowledged')
        counters.add('uplink.readings', message.readings)
        killPoint('uplink.acknowledged')
        await spool.trim(message)
        outbox.acknowledged(message)
        this.#wake()
      })
      .catch((thrown: unknown) => {
        if (this.#ended) return
        const { drawer, sequence } = message
        log.warn('publish failed', { lane: drawer, sequence, message: asError(thrown).message })
        this.#end(asError(thrown).message)
      })
    killPoint('uplink.sent')
  }

  #publish(kind: 'readings' | 'profiles' | 'lost' | 'ack', text: string): Promise<void> {
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
