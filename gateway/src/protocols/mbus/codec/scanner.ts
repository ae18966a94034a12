import { failure, type Result } from '@endeks/domain/result'
import type { DecodeFailure } from '../../protocol.js'
import { dataFields, type FieldType, reversedText, variableLength } from './data-field.js'
import { hexByte, type MbusCode } from './failure.js'
import { afterFb, afterFd, afterFdFd, type Meaning, meaningOf, meaningWith, qualify, unnamed } from './meaning.js'

/** At most ten DIFE and ten VIFE a record (EN 13757-3:2018, 6.3.7 and 6.4.1). */
const mostExtensions = 10
const extensionBit = 0x80
const manufacturerVif = 0x7f
const plainTextVif = 0x7c

/**
 * Walks over the records of a variable data block. What it found of one stands in its fields until the next, so that a walk makes
 * no objects: a bus of meters gives some ten records a frame, of which a profile names one or two.
 */
export class RecordScanner {
  readonly bytes: Uint8Array
  /** offset of `bytes` in the frame */
  readonly base: number
  position = 0
  dif = 0
  storage = 0
  tariff = 0
  subunit = 0
  meaning: Meaning = meaningOf(0)
  fieldType: FieldType = 'none'
  dataStart = 0
  dataSize = 0
  #failure: DecodeFailure | undefined

  constructor(bytes: Uint8Array, base: number) {
    this.bytes = bytes
    this.base = base
  }

  get failed(): Result<never, DecodeFailure> | undefined {
    return this.#failure === undefined ? undefined : failure(this.#failure)
  }

  /** Reads the record that begins at `position`, up to the next one. False when it can't be read; `failed` says why. */
  read(): boolean {
    const start = this.position
    if (!this.#readHead()) return false
    const field = dataFields[this.dif & 0x0f]
    if (field === undefined || field.type === 'special')
      return this.#refuse('MBUS_RECORD_RESERVED', `DIF ${hexByte(this.dif)} is reserved`, start)
    if (!this.#readMeaning()) return false
    if (field.type === 'variable') return this.#readLength()
    this.fieldType = field.type
    return this.#skipData(field.size)
  }

  /** DIF and DIFEs: each DIFE adds four bits of storage number, two of tariff and one of subunit. */
  #readHead(): boolean {
    const dif = this.#take()
    if (dif < 0) return false
    this.dif = dif
    this.storage = (dif >> 6) & 1
    this.tariff = 0
    this.subunit = 0
    let byte = dif
    for (let count = 0; (byte & extensionBit) !== 0; count++) {
      if (count === mostExtensions)
        return this.#refuse('MBUS_TOO_MANY_DIFE', `A record has more than ${mostExtensions} DIFE`, this.position)
      byte = this.#take()
      if (byte < 0) return false
      // Multiplication, for bit operators would cut the 41 bits of a storage number to 32.
      this.storage += (byte & 0x0f) * 2 ** (1 + 4 * count)
      this.tariff += ((byte >> 4) & 3) * 4 ** count
      this.subunit += ((byte >> 6) & 1) * 2 ** count
    }
    return true
  }

  #readMeaning(): boolean {
    const vif = this.#take()
    if (vif < 0) return false
    if ((vif & 0x7f) === plainTextVif) return this.#readPlainText(vif)
    if (vif !== 0xfb && vif !== 0xfd) return this.#readVifes(meaningOf(vif & 0x7f), vif & 0x7f, { byte: vif, count: 0 })
    const code = this.#take()
    if (code < 0) return false
    if (vif === 0xfd && code === 0xfd) return this.#readSecondLevel()
    const key = (code & 0x7f) + (vif === 0xfd ? afterFd : afterFb)
    return this.#readVifes(meaningOf(key), key, { byte: code, count: 1 })
  }

  #readSecondLevel(): boolean {
    const code = this.#take()
    if (code < 0) return false
    const key = (code & 0x7f) + afterFdFd
    return this.#readVifes(meaningOf(key), key, { byte: code, count: 2 })
  }

  /** Length and text stand right behind the VIF, before any VIFE (EN 13757-3:2018, 6.4.3). */
  #readPlainText(vif: number): boolean {
    const length = this.#take()
    if (length < 0) return false
    const start = this.position
    if (!this.#skip(length)) return false
    return this.#readVifes(unnamed(reversedText(this.bytes.subarray(start, start + length))), undefined, { byte: vif, count: 0 })
  }

  /** @param key where the meaning stands in the tables; undefined for a plain text */
  #readVifes(base: Meaning, key: number | undefined, last: { readonly byte: number; readonly count: number }): boolean {
    this.meaning = base
    if ((last.byte & extensionBit) === 0) return true
    const start = this.position
    let count = last.count
    let byte = last.byte
    while ((byte & extensionBit) !== 0) {
      if (count === mostExtensions)
        return this.#refuse('MBUS_TOO_MANY_VIFE', `A record has more than ${mostExtensions} VIFE`, this.position)
      byte = this.#take()
      if (byte < 0) return false
      count += 1
    }
    // A VIF that is the maker's own makes the VIFEs so too.
    if (key === manufacturerVif) return true
    if (key !== undefined && this.position === start + 1) this.meaning = meaningWith(key, byte & 0x7f)
    else
      this.meaning = qualify(
        base,
        Array.from(this.bytes.subarray(start, this.position), (each) => each & 0x7f)
      )
    return true
  }

  #readLength(): boolean {
    const at = this.position
    const lvar = this.#take()
    if (lvar < 0) return false
    const length = variableLength(lvar)
    if (length === undefined) return this.#refuse('MBUS_RECORD_RESERVED', `LVAR ${hexByte(lvar)} is reserved`, at)
    this.fieldType = length.type
    return this.#skipData(length.size)
  }

  #skipData(size: number): boolean {
    this.dataStart = this.position
    this.dataSize = size
    return this.#skip(size)
  }

  #take(): number {
    const byte = this.bytes[this.position]
    if (byte === undefined) return this.#truncated()
    this.position += 1
    return byte
  }

  #skip(size: number): boolean {
    const end = this.position + size
    if (end > this.bytes.length) return this.#truncated() >= 0
    this.position = end
    return true
  }

  #truncated(): number {
    this.#refuse('MBUS_RECORD_TRUNCATED', 'The data end in the middle of a record', this.bytes.length)
    return -1
  }

  #refuse(code: MbusCode, message: string, at: number): false {
    this.#failure = { code, message, offset: this.base + at }
    return false
  }
}
