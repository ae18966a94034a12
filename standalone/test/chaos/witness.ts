import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { FrameCutter, frameType, type Published, publishedIn } from './mqtt-frames.js'

/** A message that the broker acknowledged: a promise that is held against the tables. */
export type Acknowledged = Pick<Published, 'topic' | 'payload'>

interface Link {
  readonly gateway: Socket
  readonly broker: Socket
}

/**
 * The network between gateways and broker. It notes every acknowledgement that passes, whether or not the gateway lives to
 * hear it, and it can be cut or can stop passing anything.
 */
export class Witness {
  readonly #server: Server
  readonly #links = new Set<Link>()
  readonly #listeners = new Set<(topic: string) => void>()
  #acknowledged: Acknowledged[] = []
  #target = 0
  #down = false

  constructor() {
    this.#server = createServer({ noDelay: true }, (gateway) => this.#join(gateway))
  }

  async listen(): Promise<number> {
    this.#server.listen(0, '127.0.0.1')
    await once(this.#server, 'listening')
    const address = this.#server.address()
    if (address === null || typeof address === 'string') throw new Error('the witness has no port')
    return address.port
  }

  /** where the broker listens now */
  set target(port: number) {
    this.#target = port
  }

  /** What was acknowledged since the last call. */
  take(): Acknowledged[] {
    return this.#acknowledged.splice(0)
  }

  /** @returns what ends it */
  onAcknowledged(listener: (topic: string) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Ends every connection and takes no new one until `mend`. */
  cut(): void {
    this.#down = true
    for (const link of this.#links) this.#end(link)
  }

  /** Nothing passes any more, in either direction, and nobody is told: a line that is dead without a word. */
  freeze(): void {
    for (const { gateway, broker } of this.#links) {
      gateway.pause()
      broker.pause()
    }
  }

  /** New connections are taken again; those that were frozen are gone. */
  mend(): void {
    for (const link of this.#links) if (link.gateway.isPaused()) this.#end(link)
    this.#down = false
  }

  close(): void {
    this.cut()
    this.#server.close()
  }

  #join(gateway: Socket): void {
    if (this.#down || this.#target === 0) {
      gateway.destroy()
      return
    }
    const broker = connect({ port: this.#target, host: '127.0.0.1', noDelay: true })
    const link = { gateway, broker }
    this.#links.add(link)
    const sent = new Map<number, Acknowledged>()
    const upward = new FrameCutter()
    const downward = new FrameCutter()
    gateway.on('data', (chunk) => {
      for (const frame of upward.take(chunk)) {
        const published = frame.type === frameType.publish ? publishedIn(frame) : undefined
        if (published !== undefined) sent.set(published.packetId, published)
      }
      broker.write(chunk)
    })
    broker.on('data', (chunk) => {
      for (const frame of downward.take(chunk)) {
        if (frame.type !== frameType.puback) continue
        const packetId = frame.body.readUInt16BE(0)
        const promise = sent.get(packetId)
        sent.delete(packetId)
        if (promise === undefined) continue
        this.#acknowledged.push(promise)
        for (const listener of this.#listeners) listener(promise.topic)
      }
      gateway.write(chunk)
    })
    for (const socket of [gateway, broker]) {
      socket.on('error', () => this.#end(link))
      socket.on('close', () => this.#end(link))
    }
  }

  #end(link: Link): void {
    this.#links.delete(link)
    link.gateway.destroy()
    link.broker.destroy()
  }
}
