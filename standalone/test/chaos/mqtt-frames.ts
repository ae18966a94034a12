/** A packet of MQTT 3.1.1: its first byte and what follows the length. */
export interface Frame {
  readonly type: number
  readonly flags: number
  readonly body: Buffer
}

export const frameType = { connect: 1, publish: 3, puback: 4 } as const

/** Cuts a stream into packets (MQTT 3.1.1, 2.2). Written apart from the product's own readers, which it watches. */
export class FrameCutter {
  #rest: Buffer = Buffer.alloc(0)

  take(chunk: Buffer): Frame[] {
    this.#rest = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    const frames: Frame[] = []
    for (let frame = this.#next(); frame !== undefined; frame = this.#next()) frames.push(frame)
    return frames
  }

  #next(): Frame | undefined {
    let length = 0
    let position = 1
    for (let shift = 0; ; shift += 7) {
      const byte = this.#rest[position]
      if (byte === undefined) return undefined
      position += 1
      length += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) break
    }
    if (this.#rest.length < position + length) return undefined
    const first = this.#rest[0] ?? 0
    const body = Buffer.from(this.#rest.subarray(position, position + length))
    this.#rest = this.#rest.subarray(position + length)
    return { type: first >> 4, flags: first & 0x0f, body }
  }
}

export interface Published {
  readonly topic: string
  readonly packetId: number
  readonly payload: Buffer
}

/** A PUBLISH with QoS 1 (3.3); undefined for one that asks for no acknowledgement. */
export function publishedIn({ flags, body }: Frame): Published | undefined {
  if ((flags & 0x06) !== 0x02) return undefined
  const topicEnd = 2 + body.readUInt16BE(0)
  return {
    topic: body.subarray(2, topicEnd).toString('utf8'),
    packetId: body.readUInt16BE(topicEnd),
    payload: body.subarray(topicEnd + 2)
  }
}
