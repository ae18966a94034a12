import { finished } from 'node:stream/promises'
import type { PoolClient } from '@endeks/database/pool'
import { from as copyFrom } from 'pg-copy-streams'

/** "PGCOPY\n\377\r\n\0", no flags, no header extension: the binary format of COPY, which PostgreSQL's manual describes there. */
const header = Buffer.from('5047434f50590aff0d0a000000000000000000', 'hex')
const end = -1
const nullField = -1
/** 2000-01-01, from which PostgreSQL counts dates in days and instants in microseconds */
const epochDay = 10_957
const epochMicros = 946_684_800_000_000
const dayMs = 86_400_000
const two32 = 2 ** 32
/** A number of so many digits, sign and all, is an integer that a double holds. */
const safeDigits = 15
/** bigint in PostgreSQL's catalogue of types */
const bigintOid = 20
/** dimensions, whether there are nulls, the elements' type, their number, the index of the first */
const arrayHeader = 5 * 4
/** A longer text costs less when it is encoded as a whole. */
const shortText = 24

/** Rows for COPY in its binary format, which PostgreSQL reads in half the time that it takes for text. */
export class CopyRows {
  readonly #columns: number
  #buffer: Buffer
  #view: DataView
  #at = header.length
  #day = { text: '', number: 0 }

  /** @param expectedBytes a guess, so that the buffer need not grow */
  constructor(columns: number, expectedBytes: number) {
    this.#columns = columns
    this.#buffer = Buffer.allocUnsafe(Math.max(1_024, expectedBytes))
    this.#view = viewOf(this.#buffer)
    this.#buffer.set(header)
  }

  /** Begins a row; as many fields as there are columns follow. */
  row(): void {
    this.#reserve(2)
    this.#view.setInt16(this.#at, this.#columns)
    this.#at += 2
  }

  null(): void {
    this.#reserve(4)
    this.#int32(nullField)
  }

  bigint(value: bigint): void {
    this.#reserve(12)
    this.#int32(8)
    this.#view.setBigInt64(this.#at, value)
    this.#at += 8
  }

  /** A whole number in decimal text. */
  decimal(value: string): void {
    if (value.length > safeDigits) this.bigint(BigInt(value))
    else {
      this.#reserve(12)
      this.#int64(Number(value))
    }
  }

  integer(value: number): void {
    this.#reserve(8)
    this.#int32(4)
    this.#int32(value)
  }

  smallint(value: number): void {
    this.#reserve(6)
    this.#int32(2)
    this.#view.setInt16(this.#at, value)
    this.#at += 2
  }

  instant(at: number): void {
    const micros = at * 1_000 - epochMicros
    // A broken clock may say a year in which microseconds are no safe integer.
    if (Number.isSafeInteger(micros)) {
      this.#reserve(12)
      this.#int64(micros)
    } else this.bigint(BigInt(at) * 1_000n - BigInt(epochMicros))
  }

  /** An array of one dimension. */
  bigints(values: readonly (bigint | number)[]): void {
    this.#reserve(4 + arrayHeader + 12 * values.length)
    this.#int32(arrayHeader + 12 * values.length)
    for (const part of [1, 0, bigintOid, values.length, 1]) this.#int32(part)
    for (const value of values) {
      if (typeof value === 'bigint') this.bigint(value)
      else this.#int64(value)
    }
  }

  /** @param day as YYYY-MM-DD */
  date(day: string): void {
    if (day !== this.#day.text) this.#day = { text: day, number: Date.parse(`${day}T00:00:00Z`) / dayMs - epochDay }
    this.integer(this.#day.number)
  }

  text(value: string): void {
    const { length } = value
    if (length > shortText) {
      this.#encoded(value, 'utf8', Buffer.byteLength(value))
      return
    }
    this.#reserve(4 + length)
    for (let index = 0; index < length; index += 1) {
      const code = value.charCodeAt(index)
      if (code > 0x7f) {
        this.#encoded(value, 'utf8', Buffer.byteLength(value))
        return
      }
      this.#buffer[this.#at + 4 + index] = code
    }
    this.#int32(length)
    this.#at += length
  }

  /** A jsonb: its version, then its text. */
  json(text: string): void {
    const length = Buffer.byteLength(text)
    this.#reserve(5 + length)
    this.#int32(1 + length)
    this.#buffer[this.#at] = 1
    this.#buffer.write(text, this.#at + 1, 'utf8')
    this.#at += 1 + length
  }

  hex(value: string): void {
    this.#encoded(value, 'hex', value.length / 2)
  }

  bytes(value: Uint8Array): void {
    this.#reserve(4 + value.length)
    this.#int32(value.length)
    this.#buffer.set(value, this.#at)
    this.#at += value.length
  }

  /** Sends the rows. Statements that were queued on the client before are done before. */
  async send(client: PoolClient, target: string): Promise<void> {
    this.#reserve(2)
    this.#view.setInt16(this.#at, end)
    const stream = client.query(copyFrom(`copy ${target} from stdin (format binary)`))
    stream.end(this.#buffer.subarray(0, this.#at + 2))
    await finished(stream)
  }

  #encoded(value: string, encoding: 'utf8' | 'hex', length: number): void {
    this.#reserve(4 + length)
    this.#int32(length)
    this.#buffer.write(value, this.#at, encoding)
    this.#at += length
  }

  #int64(value: number): void {
    this.#int32(8)
    const high = Math.floor(value / two32)
    this.#view.setInt32(this.#at, high)
    this.#view.setUint32(this.#at + 4, value - high * two32)
    this.#at += 8
  }

  #int32(value: number): void {
    this.#view.setInt32(this.#at, value)
    this.#at += 4
  }

  #reserve(bytes: number): void {
    if (this.#at + bytes <= this.#buffer.length) return
    const larger = Buffer.allocUnsafe(Math.max(2 * this.#buffer.length, this.#at + bytes))
    this.#buffer.copy(larger, 0, 0, this.#at)
    this.#buffer = larger
    this.#view = viewOf(larger)
  }
}

function viewOf(buffer: Buffer): DataView {
  return new DataView(buffer.buffer, buffer.byteOffset, buffer.byteLength)
}
