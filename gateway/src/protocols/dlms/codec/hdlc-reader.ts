import type { DecodeFailure } from '../../protocol.js'
import { guarded } from './fault.js'
import { type HdlcFrame, hdlcFlag, readHdlcFormat, readHdlcFrame, readHdlcHeader } from './hdlc-frame.js'
import { ByteReader } from './reader.js'

/** What the bytes of a line held: a frame, or what looked like one and why it is none. */
export type HdlcEvent =
  | { readonly frame: HdlcFrame; readonly bytes: Uint8Array }
  | { readonly failure: DecodeFailure; readonly bytes: Uint8Array }

/** Format, two addresses of four bytes, control and HCS. */
const longestHeader = 13

/**
 * Cuts a stream into frames. Format type 3 has no stuffing, so a flag may stand inside a frame: a frame is found by its length,
 * and its length is believed only behind a header whose check sequence fits. After a failure the search goes on at the next flag
 * behind the refused one, so a lying length hides no frame. Holds one unfinished frame at most, 2 KB.
 */
export class HdlcReader {
  #held = new Uint8Array(0)
  #skipped = 0

  /** Takes what came over the line. Never throws, whatever it is. The bytes of its events are of a copy that is not used again. */
  push(chunk: Uint8Array): HdlcEvent[] {
    const bytes = new Uint8Array(this.#held.length + chunk.length)
    bytes.set(this.#held)
    bytes.set(chunk, this.#held.length)
    const events: HdlcEvent[] = []
    let at = 0
    for (;;) {
      const flag = bytes.indexOf(hdlcFlag, at)
      this.#skipped += (flag === -1 ? bytes.length : flag) - at
      at = flag === -1 ? bytes.length : flag
      const event = frameAt(bytes, at)
      if (event === undefined) break
      if (event !== 'idle') events.push(event)
      // The flag that ends a frame may begin the next one.
      at += event !== 'idle' && 'frame' in event ? event.bytes.length - 1 : 1
    }
    this.#held = bytes.slice(at)
    return events
  }

  /** Bytes since the last whole frame that wait for more. */
  get pending(): number {
    return this.#held.length
  }

  /** Bytes outside any frame: noise, echo, and the rests of refused frames. */
  get skipped(): number {
    return this.#skipped
  }
}

/** Looks at the flag at an offset. Undefined when more bytes must come, 'idle' when another flag follows. */
function frameAt(bytes: Uint8Array, at: number): HdlcEvent | 'idle' | undefined {
  const start = at + 1
  const have = bytes.length - start
  if (have < 1) return undefined
  if (bytes[start] === hdlcFlag) return 'idle'
  if (have < 2) return undefined
  const format = guarded(() => readHdlcFormat(new ByteReader(bytes, start)))
  if (!format.ok) return refused(format.error, bytes, at, start + 2)
  const { length } = format.value
  if (have < Math.min(longestHeader, length)) return undefined
  const header = guarded(() => readHdlcHeader(new ByteReader(bytes, start, start + Math.min(longestHeader, length))))
  if (!header.ok) return refused(header.error, bytes, at, start + Math.min(longestHeader, length))
  if (have < length + 1) return undefined
  const frame = guarded(() => readHdlcFrame(new ByteReader(bytes, at, start + length + 1)))
  if (!frame.ok) return refused(frame.error, bytes, at, start + length + 1)
  return { frame: frame.value, bytes: bytes.subarray(at, start + length + 1) }
}

/** Offsets of a stream mean nothing to its reader: the failure's offset is made one of the bytes that come with it. */
function refused(failure: DecodeFailure, bytes: Uint8Array, from: number, end: number): HdlcEvent {
  const offset = failure.offset === undefined ? {} : { offset: failure.offset - from }
  return { failure: { ...failure, ...offset }, bytes: bytes.subarray(from, end) }
}
