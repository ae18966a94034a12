import { setTimeout as sleep } from 'node:timers/promises'
import { GatewayConnection } from './gateway-connection.js'
import { gatewayName, isRepeated, type Load, messagesPerGateway } from './load.js'
import type { Messages } from './messages.js'

/** A repeated message comes this many messages after the first time. */
const repeatAfter = 3
const packetIds = 65_535
const longestPauseMs = 500
/** More than so many cuts of one gateway's connection are no measurement. */
const mostCuts = 200

export interface SendOptions {
  readonly load: Load
  readonly messages: Messages
  /** unacknowledged messages at most */
  readonly window: number
  /** when a gateway's nth message is to be sent; undefined where each leaves as soon as the window allows */
  readonly dueAt: ((index: number) => number) | undefined
  /** told, of each message, how long its acknowledgement took: since it was due, or since it was first written */
  readonly acknowledged: (milliseconds: number) => void
}

/** A gateway: its connection, and what it sends of one load after the other. Cut off, it comes back and sends again. */
export class Sender {
  readonly #port: number
  readonly #gateway: number
  #connection: GatewayConnection
  #work: Work | undefined
  /** how often the broker ended the connection */
  cuts = 0

  private constructor(port: number, gateway: number, connection: GatewayConnection) {
    this.#port = port
    this.#gateway = gateway
    this.#connection = this.#take(connection)
  }

  static async open(port: number, gateway: number): Promise<Sender> {
    return new Sender(port, gateway, await GatewayConnection.open(port, gatewayName(gateway)))
  }

  /** @returns when every message is acknowledged */
  async send(options: SendOptions): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#work = new Work(options, this.#gateway, { resolve, reject })
      this.pump()
    })
    this.#work = undefined
  }

  /** Sends what the window allows and is due. */
  pump(): void {
    const packets = this.#work?.next(performance.now()) ?? []
    if (packets.length > 0) this.#connection.send(packets)
  }

  close(): void {
    this.#connection.close()
  }

  #take(connection: GatewayConnection): GatewayConnection {
    connection.onAcknowledged = (ids) => {
      this.#work?.acknowledge(ids)
      this.pump()
    }
    connection.onClosed = () => {
      this.cuts += 1
      this.#again().catch((thrown: unknown) => this.#work?.fail(thrown))
    }
    return connection
  }

  async #again(): Promise<void> {
    if (this.cuts > mostCuts) throw new Error(`${gatewayName(this.#gateway)} was cut off ${this.cuts} times`)
    await sleep(Math.random() * longestPauseMs)
    this.#connection = this.#take(await GatewayConnection.open(this.#port, gatewayName(this.#gateway)))
    this.#work?.rewind()
    this.pump()
  }
}

/** One gateway's messages of one load, and which of them are acknowledged. */
class Work {
  readonly #options: SendOptions
  readonly #gateway: number
  readonly #ends: { readonly resolve: () => void; readonly reject: (thrown: unknown) => void }
  /** indexes of messages in the order in which they are sent */
  readonly #order: readonly number[]
  readonly #since: Float64Array
  readonly #acknowledged: Uint8Array
  /** the place in the order, by packet id, of what is under way */
  readonly #underWay = new Map<number, number>()
  #next = 0
  #left: number
  #packetId = 0

  constructor(options: SendOptions, gateway: number, ends: { readonly resolve: () => void; readonly reject: (thrown: unknown) => void }) {
    this.#options = options
    this.#gateway = gateway
    this.#ends = ends
    this.#order = orderOf(options.load, gateway)
    this.#since = new Float64Array(this.#order.length)
    this.#acknowledged = new Uint8Array(this.#order.length)
    this.#left = this.#order.length
  }

  next(now: number): Buffer[] {
    const { messages, window, dueAt } = this.#options
    const packets: Buffer[] = []
    while (this.#underWay.size < window && this.#next < this.#order.length) {
      const place = this.#next
      const due = dueAt?.(place) ?? now
      if (due > now) break
      this.#next += 1
      if (this.#acknowledged[place] === 1) continue
      if (this.#since[place] === 0) this.#since[place] = due
      this.#packetId = (this.#packetId % packetIds) + 1
      this.#underWay.set(this.#packetId, place)
      packets.push(messages.publish(this.#gateway, this.#order[place] ?? 0, this.#packetId))
    }
    return packets
  }

  acknowledge(ids: readonly number[]): void {
    const now = performance.now()
    for (const id of ids) {
      const place = this.#underWay.get(id)
      if (place === undefined) continue
      this.#underWay.delete(id)
      this.#acknowledged[place] = 1
      this.#left -= 1
      this.#options.acknowledged(now - (this.#since[place] ?? now))
    }
    if (this.#left === 0) this.#ends.resolve()
  }

  /** After a cut everything unacknowledged is sent again. */
  rewind(): void {
    this.#next = Math.min(this.#next, ...this.#underWay.values())
    this.#underWay.clear()
  }

  fail(thrown: unknown): void {
    this.#ends.reject(thrown)
  }
}

/** The indexes of a gateway's messages as they are sent, repeats among them. */
function orderOf(load: Load, gateway: number): number[] {
  const count = messagesPerGateway(load)
  const order: number[] = []
  for (let index = 0; index < count + repeatAfter; index += 1) {
    if (index < count) order.push(index)
    const earlier = index - repeatAfter
    if (earlier >= 0 && isRepeated(load, gateway, earlier)) order.push(earlier)
  }
  return order
}
