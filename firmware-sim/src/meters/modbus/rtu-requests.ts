import { modbus } from '@endeks/gateway/codec'

/**
 * Finds requests in what a master sends. A slave on a wire tells frames apart by silence, which a TCP connection does not carry;
 * here the CRC does: whatever stands before a frame whose CRC is right was noise.
 */
export class RtuRequests {
  #held: Buffer = Buffer.alloc(0)

  push(chunk: Uint8Array): modbus.Frame[] {
    this.#held = Buffer.concat([this.#held, chunk])
    const frames: modbus.Frame[] = []
    for (let frame = findRequest(this.#held); frame !== undefined; frame = findRequest(this.#held)) {
      frames.push(frame)
      this.#held = this.#held.subarray(frame.offset + frame.size)
    }
    this.#held = this.#held.subarray(-modbus.longestRtuFrame)
    return frames
  }
}

function findRequest(bytes: Uint8Array): modbus.Frame | undefined {
  for (let offset = 0; offset + 4 <= bytes.length; offset += 1) {
    const size = modbus.rtuRequestSize(bytes, offset)
    const frame = size === undefined ? undefined : modbus.parseRtu(bytes, offset, size)
    if (frame?.ok === true) return frame.value
  }
  return findUnknown(bytes)
}

/** A function that no meter knows is refused, and its frame ends where its CRC says so. */
function findUnknown(bytes: Uint8Array): modbus.Frame | undefined {
  if (bytes.length < 4 || modbus.rtuRequestSize(bytes, 0) !== undefined) return undefined
  let crc = 0xffff
  for (const [index, byte] of bytes.subarray(0, modbus.longestRtuFrame).entries()) {
    crc = modbus.crcStep(crc, byte)
    if (crc !== 0 || index < 3) continue
    const frame = modbus.parseRtu(bytes, 0, index + 1)
    if (frame.ok) return frame.value
  }
  return undefined
}
