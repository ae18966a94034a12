import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { connackType, connectPacket, PacketReader, pingPacket, pubackType } from './mqtt-packets.js'

export const keepaliveS = 60
/** of every gateway of the benchmarks */
export const password = 'a-password-of-a-measured-gateway'
/** The password's Argon2id hash with cheap parameters: they stand in the hash, and connecting is not what is measured. */
export const passwordHash = '$argon2id$v=19$m=1024,t=1,p=1$B9hn4t4/4O4aPVwliVk9vQ$P9WjkEGSQu8MkPo2XveKrBTFu+dM0Fht5xxyKVhMs6E'

const connectWithinMs = 30_000

/** A gateway's connection as bare as it can be: it sends whole packets and tells of acknowledgements. */
export class GatewayConnection {
  readonly #socket: Socket
  readonly #reader = new PacketReader()
  readonly #ping: NodeJS.Timeout
  /** told of the packet ids that one read of the socket acknowledged */
  onAcknowledged: (packetIds: readonly number[]) => void = () => undefined
  onClosed: () => void = () => undefined

  private constructor(socket: Socket) {
    this.#socket = socket
    this.#ping = setInterval(() => socket.write(pingPacket), (keepaliveS * 1_000) / 2)
    socket.on('data', (chunk: Buffer) => this.#read(chunk))
    socket.on('error', () => undefined)
    socket.on('close', () => {
      clearInterval(this.#ping)
      this.onClosed()
    })
  }

  static async open(port: number, clientId: string): Promise<GatewayConnection> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    const signal = AbortSignal.timeout(connectWithinMs)
    await once(socket, 'connect', { signal })
    socket.write(connectPacket({ clientId, password, keepaliveS }))
    const [answer] = (await once(socket, 'data', { signal })) as [Buffer]
    if (answer[0] !== connackType << 4 || answer[3] !== 0) throw new Error(`${clientId} was refused with return code ${answer[3]}`)
    return new GatewayConnection(socket)
  }

  /** Packets that are sent together leave in one write. */
  send(packets: readonly Buffer[]): void {
    this.#socket.cork()
    for (const packet of packets) this.#socket.write(packet)
    this.#socket.uncork()
  }

  close(): void {
    this.onClosed = () => undefined
    this.#socket.destroy()
  }

  #read(chunk: Buffer): void {
    const acknowledged: number[] = []
    this.#reader.read(chunk, (type, _, body) => {
      if (type === pubackType) acknowledged.push(body.readUInt16BE(0))
    })
    if (acknowledged.length > 0) this.onAcknowledged(acknowledged)
  }
}
