/** Collects the bytes of an APDU. Grows by doubling; numbers are big-endian as everywhere in DLMS. */
export class ByteWriter {
  #bytes = new Uint8Array(256)
  #view = new DataView(this.#bytes.buffer)
  #size = 0

  #grow(count: number): number {
    const start = this.#size
    this.#size += count
    if (this.#size > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#size))
      larger.set(this.#bytes.subarray(0, start))
      this.#bytes = larger
      this.#view = new DataView(larger.buffer)
    }
    return start
  }

  u8(value: number): this {
    const at = this.#grow(1)
    this.#view.setUint8(at, value)
    return this
  }

  u16(value: number): this {
    const at = this.#grow(2)
    this.#view.setUint16(at, value)
    return this
  }

  u24(value: number): this {
    return this.u8(value >>> 16).u16(value & 0xffff)
  }

  u32(value: number): this {
    const at = this.#grow(4)
    this.#view.setUint32(at, value)
    return this
  }

  /** Signed or unsigned: the two's complement of both is the same eight bytes. */
  u64(value: bigint): this {
    const at = this.#grow(8)
    this.#view.setBigUint64(at, BigInt.asUintN(64, value))
    return this
  }

  f32(value: number): this {
    const at = this.#grow(4)
    this.#view.setFloat32(at, value)
    return this
  }

  f64(value: number): this {
    const at = this.#grow(8)
    this.#view.setFloat64(at, value)
    return this
  }

  raw(bytes: Uint8Array): this {
    const at = this.#grow(bytes.length)
    this.#bytes.set(bytes, at)
    return this
  }

  /** A length in its shortest form, as A-XDR and BER write it. */
  length(value: number): this {
    if (value < 0x80) return this.u8(value)
    if (value <= 0xff) return this.u8(0x81).u8(value)
    if (value <= 0xffff) return this.u8(0x82).u16(value)
    if (value <= 0xff_ffff) return this.u8(0x83).u24(value)
    return this.u8(0x84).u32(value)
  }

  /** Bytes behind their length. */
  counted(bytes: Uint8Array): this {
    return this.length(bytes.length).raw(bytes)
  }

  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#size)
  }
}
