import { DlmsFault } from './fault.js'

const fewBytes = 32

/**
 * Walks over bytes from a meter. Offsets stay those of the outermost buffer, so that a failure deep inside names the byte
 * that a person finds in the hex dump.
 */
export class ByteReader {
  readonly bytes: Uint8Array
  readonly #end: number
  #at: number
  #view: DataView | undefined

  constructor(bytes: Uint8Array, from = 0, end = bytes.length) {
    this.bytes = bytes
    this.#at = from
    this.#end = Math.min(end, bytes.length)
  }

  /** Made when a number of 64 bits or a float is asked for: a load profile makes a reader for each of its clocks, and needs none. */
  get #numbers(): DataView {
    this.#view ??= new DataView(this.bytes.buffer, this.bytes.byteOffset, this.bytes.byteLength)
    return this.#view
  }

  get offset(): number {
    return this.#at
  }

  get left(): number {
    return this.#end - this.#at
  }

  /** Moves over `count` bytes and tells where they start. */
  #step(count: number): number {
    const start = this.#at
    if (count > this.#end - start) {
      throw new DlmsFault('DLMS_TRUNCATED', `${count} bytes are announced at offset ${start}, ${this.#end - start} are there`, start)
    }
    this.#at = start + count
    return start
  }

  /** A byte that `#step` has found to be there. */
  #byte(at: number): number {
    return this.bytes[at] ?? 0
  }

  u8(): number {
    return this.#byte(this.#step(1))
  }

  i8(): number {
    return (this.u8() << 24) >> 24
  }

  u16(): number {
    const start = this.#step(2)
    return (this.#byte(start) << 8) | this.#byte(start + 1)
  }

  i16(): number {
    return (this.u16() << 16) >> 16
  }

  u24(): number {
    const start = this.#step(3)
    return (this.#byte(start) << 16) | (this.#byte(start + 1) << 8) | this.#byte(start + 2)
  }

  u32(): number {
    return this.i32() >>> 0
  }

  i32(): number {
    const start = this.#step(4)
    return (this.#byte(start) << 24) | (this.#byte(start + 1) << 16) | (this.#byte(start + 2) << 8) | this.#byte(start + 3)
  }

  u64(): bigint {
    return this.#numbers.getBigUint64(this.#step(8))
  }

  i64(): bigint {
    return this.#numbers.getBigInt64(this.#step(8))
  }

  f32(): number {
    return this.#numbers.getFloat32(this.#step(4))
  }

  f64(): number {
    return this.#numbers.getFloat64(this.#step(8))
  }

  /** The next bytes, copied: what was decoded must not change when a socket's buffer is used again. */
  take(count: number): Uint8Array {
    const start = this.#step(count)
    const copy = new Uint8Array(count)
    // Not `slice`: on a Buffer that is a view of the same memory. And no view for the few bytes of a clock: it costs more than they do.
    if (count > fewBytes) copy.set(this.bytes.subarray(start, start + count))
    else for (let index = 0; index < count; index += 1) copy[index] = this.#byte(start + index)
    return copy
  }

  /** The next bytes as they stand: for a reader whose bytes are nobody else's. */
  view(count: number): Uint8Array {
    const start = this.#step(count)
    return this.bytes.subarray(start, start + count)
  }

  /** A reader that ends after the next `count` bytes; this one goes on behind them. */
  window(count: number): ByteReader {
    const start = this.#step(count)
    return new ByteReader(this.bytes, start, start + count)
  }

  /**
   * A length of A-XDR (IEC 61334-6, 6.2) and of BER (X.690, 8.1.3): short form below 128, else the number of bytes and the
   * bytes. The indefinite form has no place in DLMS.
   */
  length(): number {
    const start = this.#at
    const first = this.u8()
    if (first < 0x80) return first
    const size = first & 0x7f
    if (size === 0 || size > 4) throw new DlmsFault('DLMS_LENGTH', `a length of ${size} bytes is not one of DLMS`, start)
    let value = 0
    for (let index = 0; index < size; index += 1) value = value * 256 + this.u8()
    return value
  }

  expect(byte: number, what: string): void {
    const start = this.#at
    const found = this.u8()
    if (found !== byte) {
      throw new DlmsFault('DLMS_TAG', `${what} begins with ${hexByte(byte)}, not with ${hexByte(found)}`, start)
    }
  }

  /** Refuses bytes behind the end: a sender that means something by them means something that was not decoded. */
  finish(what: string): void {
    if (this.left > 0) throw new DlmsFault('DLMS_TRAILING', `${this.left} bytes are left over behind ${what}`, this.#at)
  }
}

export function hexByte(byte: number): string {
  return `0x${byte.toString(16).padStart(2, '0')}`
}

export function toHex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex')
}
