import { DlmsFault } from './fault.js'
import { ByteReader } from './reader.js'
import { ByteWriter } from './writer.js'

/**
 * The wrapper of IEC 62056-47: version 1, source and destination wPort, length, then one APDU. It delimits APDUs on a stream
 * and says which client and which logical device talk; everything above it does not know that there is a wrapper.
 */
export interface WrapperFrame {
  readonly source: number
  readonly destination: number
  readonly apdu: Uint8Array
}

export const wrapperHeaderSize = 8
export const wrapperVersion = 1
/** wPort of the management logical device, and of the public client */
export const managementPort = 1
export const publicClientPort = 16

export function encodeWrapper(frame: WrapperFrame): Uint8Array {
  const { source, destination, apdu } = frame
  if (apdu.length > 0xffff) throw new DlmsFault('DLMS_LENGTH', `an APDU of ${apdu.length} bytes does not fit into the wrapper`)
  return new ByteWriter().u16(wrapperVersion).u16(source).u16(destination).u16(apdu.length).raw(apdu).finish()
}

/** Reads one frame, however many follow. @throws {DlmsFault} */
export function readWrapper(reader: ByteReader): WrapperFrame & { readonly body: ByteReader } {
  const at = reader.offset
  const version = reader.u16()
  if (version !== wrapperVersion) throw new DlmsFault('DLMS_WRAPPER', `the wrapper has version 1, not ${version}`, at)
  const source = reader.u16()
  const destination = reader.u16()
  const size = reader.u16()
  if (size === 0) throw new DlmsFault('DLMS_WRAPPER', 'a wrapper frame carries no APDU', at)
  const body = reader.window(size)
  const start = body.offset
  return { source, destination, apdu: reader.bytes.subarray(start, start + size), body }
}

/** Cuts a stream into frames. Holds at most one unfinished frame, which its length field bounds to 64 KB. */
export class WrapperAssembler {
  #held = new Uint8Array(0)

  /** Takes what came over the wire and gives the frames it completed. @throws {DlmsFault} DLMS_WRAPPER when it is not a wrapper */
  push(chunk: Uint8Array): WrapperFrame[] {
    const bytes = new Uint8Array(this.#held.length + chunk.length)
    bytes.set(this.#held)
    bytes.set(chunk, this.#held.length)
    const frames: WrapperFrame[] = []
    let at = 0
    for (let size = frameSize(bytes, at); size !== undefined && at + size <= bytes.length; size = frameSize(bytes, at)) {
      const { source, destination, apdu } = readWrapper(new ByteReader(bytes, at, at + size))
      frames.push({ source, destination, apdu })
      at += size
    }
    this.#held = bytes.slice(at)
    return frames
  }

  /** Bytes of a frame that has not come to its end. */
  get pending(): number {
    return this.#held.length
  }
}

function frameSize(bytes: Uint8Array, at: number): number | undefined {
  if (bytes.length - at < wrapperHeaderSize) return undefined
  const header = new ByteReader(bytes, at)
  const version = header.u16()
  if (version !== wrapperVersion) throw new DlmsFault('DLMS_WRAPPER', `the wrapper has version 1, not ${version}`, at)
  header.u32()
  return wrapperHeaderSize + header.u16()
}
