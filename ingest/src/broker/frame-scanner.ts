export interface FrameLimits {
  /** of the first packet, which must be a CONNECT: nothing is known of who sends it */
  readonly connectBytes: number
  /** of a publish */
  readonly packetBytes: number
  /** of any other packet: a subscription to a million topics is one packet, too */
  readonly controlBytes: number
}

export const defaultFrameLimits: FrameLimits = { connectBytes: 4_096, packetBytes: 4 * 1024 * 1024, controlBytes: 4_096 }

const connectByte = 0x10
const publishType = 3

export interface Scan {
  /** up to where the chunk may be taken */
  readonly end: number
  /** packets that began in it */
  readonly begun: number
  /** packets that ended in it */
  readonly ended: number
  /** why the stream must end here */
  readonly refused?: FrameRefusal
}

export interface FrameRefusal {
  readonly reason: 'not-mqtt' | 'packet-size'
  readonly why: string
}

/**
 * Follows the packets of a stream by their lengths (MQTT 3.1.1, 2.2) without keeping any of their bytes. The broker's parser
 * collects a packet whole, however long it claims to be, and handles at once whatever packets it is given; so a claim is judged
 * and packets are counted here, before.
 */
export class FrameScanner {
  readonly #limits: FrameLimits
  #first = true
  #header = true
  #publish = false
  #length = 0
  #shift = 0
  #skip = 0

  constructor(limits: FrameLimits) {
    this.#limits = limits
  }

  /** @param most packets that may begin; the scan ends before the next one */
  scan(chunk: Uint8Array, most = Number.POSITIVE_INFINITY): Scan {
    let position = 0
    let begun = 0
    let ended = 0
    while (position < chunk.length) {
      if (this.#skip > 0) {
        const step = Math.min(this.#skip, chunk.length - position)
        this.#skip -= step
        position += step
        if (this.#skip === 0) ended += 1
        continue
      }
      if (this.#header && begun >= most) break
      const byte = chunk[position] ?? 0
      position += 1
      const header = this.#header
      if (header) begun += 1
      const refused = header ? this.#startPacket(byte) : this.#readLength(byte)
      if (refused !== undefined) return { end: position, begun, ended, refused }
      if (!header && this.#header && this.#skip === 0) ended += 1
    }
    return { end: position, begun, ended }
  }

  #startPacket(byte: number): FrameRefusal | undefined {
    if (this.#first && byte !== connectByte) {
      return { reason: 'not-mqtt', why: `the first byte is ${byte}, which begins no CONNECT${guess(byte)}` }
    }
    this.#header = false
    this.#publish = byte >> 4 === publishType
    this.#length = 0
    this.#shift = 0
    return undefined
  }

  #readLength(byte: number): FrameRefusal | undefined {
    this.#length += (byte & 0x7f) * 2 ** this.#shift
    this.#shift += 7
    const more = (byte & 0x80) !== 0
    if (more && this.#shift >= 28) return { reason: 'not-mqtt', why: 'a packet length of more than four bytes' }
    if (more) return undefined
    const limit = this.#limit()
    if (this.#length > limit) return { reason: 'packet-size', why: `a packet of ${this.#length} bytes; ${limit} are taken at most` }
    this.#first = false
    this.#header = true
    this.#skip = this.#length
    return undefined
  }

  #limit(): number {
    if (this.#first) return this.#limits.connectBytes
    return this.#publish ? this.#limits.packetBytes : this.#limits.controlBytes
  }
}

const tlsHandshakeByte = 0x16

/** What people connect by mistake, told by its first byte. */
function guess(byte: number): string {
  if (byte === tlsHandshakeByte) return '; it looks like TLS on the port for plain text'
  if (byte === 'G'.charCodeAt(0)) return '; it looks like HTTP or WebSocket'
  return ''
}
