import { asError } from '@endeks/domain/errors'
import type { GatewayId } from '@endeks/domain/identifiers'
import type { Log } from '@endeks/domain/process'
import { topicFor } from '@endeks/domain/wire'
import type { MqttClient } from 'mqtt'

/** An answer to a command, as it is published. */
export interface Answer {
  readonly id: string
  readonly text: string
}

/** Where commands are kept and answers come from: what a connection needs of it. */
export interface CommandDesk {
  /** Resolves when the command is on disk, so that it may be acknowledged. Whatever the bytes, only a disk that fails is thrown. */
  receive(payload: Uint8Array): Promise<void>
  /** the oldest answer that was not acknowledged yet */
  nextAnswer(): Answer | undefined
  acknowledged(answer: Answer): Promise<void>
  /** Calls `listener` when there is an answer. @returns what ends it */
  onAnswer(listener: () => void): () => void
}

export interface CommandLineOptions {
  readonly client: MqttClient
  readonly gateway: GatewayId
  readonly desk: CommandDesk
  readonly log: Log
  /** resolves when the broker has acknowledged it */
  readonly publish: (text: string) => Promise<void>
  readonly onFailure: (reason: string) => void
}

/** Commands and answers over one connection: a command is acknowledged when it is kept, an answer is sent until it is acknowledged. */
export class CommandLine {
  readonly #options: CommandLineOptions
  readonly #topic: string
  #endListening: (() => void) | undefined
  #ended = false
  #answering = false

  constructor(options: CommandLineOptions) {
    this.#options = options
    this.#topic = topicFor(options.gateway, 'cmd')
    // The PUBACK waits for this callback, and everything that comes behind the command too.
    options.client.handleMessage = (packet, done) => {
      const payload = typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload
      const kept = packet.topic === this.#topic ? options.desk.receive(payload) : Promise.resolve()
      kept.then(
        () => done(),
        (thrown: unknown) => {
          // Without an acknowledgement it comes again; what else comes over this connection goes on.
          options.log.error('a command could not be kept', { message: asError(thrown).message })
          done(asError(thrown))
        }
      )
    }
  }

  /** Once connected: asks for commands and sends the answers that wait. */
  open(): void {
    const { client, desk, log } = this.#options
    this.#endListening = desk.onAnswer(() => this.#answer())
    client.subscribe(this.#topic, { qos: 1 }, (error) => {
      // A broker that does not let this gateway hear its commands may still take its readings.
      if (error !== null && !this.#ended) log.warn('no commands are heard', { topic: this.#topic, message: error.message })
    })
    this.#answer()
  }

  close(): void {
    this.#ended = true
    this.#endListening?.()
  }

  #answer(): void {
    if (this.#answering || this.#ended) return
    this.#answering = true
    this.#sendAll().then(
      () => {
        this.#answering = false
        if (this.#options.desk.nextAnswer() !== undefined) this.#answer()
      },
      (thrown: unknown) => this.#fail(asError(thrown).message)
    )
  }

  async #sendAll(): Promise<void> {
    const { desk, publish } = this.#options
    for (let answer = desk.nextAnswer(); answer !== undefined && !this.#ended; answer = desk.nextAnswer()) {
      await publish(answer.text)
      await desk.acknowledged(answer)
    }
  }

  #fail(reason: string): void {
    if (!this.#ended) this.#options.onFailure(reason)
  }
}
