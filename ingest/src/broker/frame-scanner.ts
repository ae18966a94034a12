export interface FrameLimits {
  /** of the first packet, which must be a CONNECT: nothing is known of who sends it */
  readonly connectBytes: number
  readonly packetBytes: number
}

export const defaultFrameLimits: FrameLimits = { connectBytes: 4_096, packetBytes: 4 * 1024 * 1024 }

const connectByte = 0x10

/**
 * Follows the packets of a stream by their lengths (MQTT 3.1.1, 2.2) without keeping any of their bytes. The broker's parser
 * collects a packet whole, however long it claims to be; so a claim is judged here, before a byte of it is collected.
 */
export class FrameScanner {
  readonly #limits: FrameLimits
  #first = true
  #header = true
  #length = 0
  #shift = 0
  #skip = 0

  constructor(limits: FrameLimits) {
    this.#limits = limits
  }

  /** @returns why the stream must end here, or undefined */
  scan(chunk: Uint8Array): string | undefined {
    let position = 0
    while (position < chunk.length) {
      if (this.#skip > 0) {
        const step = Math.min(this.#skip, chunk.length - position)
        this.#skip -= step
        position += step
        continue
      }
      const byte = chunk[position] ?? 0
      position += 1
      const refused = this.#header ? this.#startPacket(byte) : this.#readLength(byte)
      if (refused !== undefined) return refused
    }
    return undefined
  }

  #startPacket(byte: number): string | undefined {
    if (this.#first && byte !== connectByte) return `the first byte is ${byte}, which begins no CONNECT`
    this.#header = false
    this.#length = 0
    this.#shift = 0
    return undefined
  }

  #readLength(byte: number): string | undefined {
    this.#length += (byte & 0x7f) * 2 ** this.#shift
    this.#shift += 7
    const more = (byte & 0x80) !== 0
    if (more && this.#shift >= 28) return 'a packet length of more than four bytes'
    if (more) return undefined
    const limit = this.#first ? this.#limits.connectBytes : this.#limits.packetBytes
    if (this.#length > limit) return `a packet of ${this.#length} bytes; ${limit} are taken at most`
    this.#first = false
    this.#header = true
    this.#skip = this.#length
    return undefined
  }
}
