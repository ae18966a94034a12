/**
 * The few packets of MQTT 3.1.1 that a gateway says, encoded by hand: a client library would take more of the two cores than
 * the broker that it measures.
 */

export const connackType = 2
export const publishType = 3
export const pubackType = 4
export const subackType = 9

export interface ConnectOptions {
  readonly clientId: string
  readonly password?: string
  readonly keepaliveS: number
  /** the broker is to keep what comes for this client while it is away */
  readonly session?: boolean
}

export function connectPacket(options: ConnectOptions): Buffer {
  const { clientId, password, session = false } = options
  const flags = (session ? 0 : 0x02) | (password === undefined ? 0 : 0xc0)
  const head = Buffer.from([0, 4, 0x4d, 0x51, 0x54, 0x54, 4, flags, options.keepaliveS >> 8, options.keepaliveS & 0xff])
  const fields = password === undefined ? [clientId] : [clientId, clientId, password]
  return packet(0x10, [head, ...fields.map(text)])
}

/** @param topic one topic, with QoS 1 */
export function subscribePacket(topic: string): Buffer {
  return packet(0x82, [Buffer.from([0, 1]), text(topic), Buffer.from([1])])
}

/** The head of a QoS 1 PUBLISH, to be followed by `payloadLength` bytes. */
export function publishHead(topic: Buffer, packetId: number, payloadLength: number): Buffer {
  return Buffer.concat([
    Buffer.from([0x32]),
    remainingLength(2 + topic.length + 2 + payloadLength),
    Buffer.from([topic.length >> 8, topic.length & 0xff]),
    topic,
    Buffer.from([packetId >> 8, packetId & 0xff])
  ])
}

export function pubackPacket(packetId: number): Buffer {
  return Buffer.from([0x40, 2, packetId >> 8, packetId & 0xff])
}

export const pingPacket = Buffer.from([0xc0, 0])

/** Cuts a stream into packets. */
export class PacketReader {
  #rest: Buffer = Buffer.alloc(0)

  /** @param take is told type, flags and body of each packet that is complete */
  read(chunk: Buffer, take: (type: number, flags: number, body: Buffer) => void): void {
    let data = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    for (;;) {
      const header = headerOf(data)
      if (header === undefined || data.length < header.end) break
      const first = data[0] ?? 0
      take(first >> 4, first & 0x0f, data.subarray(header.start, header.end))
      data = data.subarray(header.end)
    }
    this.#rest = data
  }
}

function headerOf(data: Buffer): { readonly start: number; readonly end: number } | undefined {
  let length = 0
  for (let index = 1; index < Math.min(data.length, 5); index += 1) {
    const byte = data[index] ?? 0
    length += (byte & 0x7f) * 128 ** (index - 1)
    if (byte < 128) return { start: index + 1, end: index + 1 + length }
  }
  return undefined
}

function packet(first: number, parts: readonly Buffer[]): Buffer {
  const length = parts.reduce((sum, part) => sum + part.length, 0)
  return Buffer.concat([Buffer.from([first]), remainingLength(length), ...parts])
}

function remainingLength(length: number): Buffer {
  const bytes: number[] = []
  let rest = length
  do {
    const byte = rest % 128
    rest = Math.floor(rest / 128)
    bytes.push(rest > 0 ? byte | 0x80 : byte)
  } while (rest > 0)
  return Buffer.from(bytes)
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes])
}
