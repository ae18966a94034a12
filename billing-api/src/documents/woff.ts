import { inflateSync } from 'node:zlib'
import { AppError } from '@endeks/domain/errors'

interface Table {
  readonly tag: string
  readonly checksum: number
  readonly data: Buffer
}

const headerLength = 44
const entryLength = 20
/** A text font has some twenty tables, and none near this size: a file that claims more is damaged. */
const tableLimit = 64
const sizeLimit = 4_000_000

/**
 * The TrueType font inside a WOFF file, under another family name. A web font comes in subsets that all have the same name,
 * and the typesetter takes one of them and never looks into the others; with a name each, the template can list them.
 *
 * @throws {AppError} DOCUMENT_RENDERING when the file is no WOFF 1.0 or lies about its lengths
 * @see WOFF File Format 1.0 (W3C) sections 3 to 5; OpenType, "The font file" and "name"
 */
export function fontFromWoff(woff: Buffer, family: string): Buffer {
  if (woff.length < headerLength || woff.toString('latin1', 0, 4) !== 'wOFF') throw damaged('it does not begin with wOFF', 0)
  const count = woff.readUInt16BE(12)
  if (count === 0 || count > tableLimit) throw damaged(`it claims ${count} tables`, 12)
  const tables = Array.from({ length: count }, (_, index) => readTable(woff, headerLength + index * entryLength))
  return assemble(
    woff.readUInt32BE(4),
    tables.map((table) => (table.tag === 'name' ? { ...table, data: renamed(table.data, family) } : table))
  )
}

function readTable(woff: Buffer, entry: number): Table {
  if (entry + entryLength > woff.length) throw damaged('its directory is cut off', entry)
  const offset = woff.readUInt32BE(entry + 4)
  const stored = woff.readUInt32BE(entry + 8)
  const length = woff.readUInt32BE(entry + 12)
  if (offset + stored > woff.length || length > sizeLimit) throw damaged('a table reaches past the end', entry)
  const part = woff.subarray(offset, offset + stored)
  const data = stored < length ? inflateSync(part, { maxOutputLength: sizeLimit }) : part
  if (data.length !== length) throw damaged(`a table has ${data.length} bytes instead of ${length}`, entry)
  return { tag: woff.toString('latin1', entry, entry + 4), checksum: woff.readUInt32BE(entry + 16), data }
}

/** The same name table with another family (1) and typographic family (16); copyright and licence (0, 13, 14) stay. */
function renamed(table: Buffer, family: string): Buffer {
  const count = table.readUInt16BE(2)
  const strings = table.readUInt16BE(4)
  const name = Buffer.from(family, 'utf16le').swap16()
  const records = Buffer.from(table.subarray(6, 6 + count * 12))
  const texts: Buffer[] = []
  let length = 0
  for (let record = 0; record < records.length; record += 12) {
    const offset = strings + records.readUInt16BE(record + 10)
    const id = records.readUInt16BE(record + 6)
    const text = id === 1 || id === 16 ? name : table.subarray(offset, offset + records.readUInt16BE(record + 8))
    records.writeUInt16BE(text.length, record + 8)
    records.writeUInt16BE(length, record + 10)
    texts.push(text)
    length += text.length
  }
  const head = Buffer.alloc(6)
  head.writeUInt16BE(count, 2)
  head.writeUInt16BE(6 + records.length, 4)
  return Buffer.concat([head, records, ...texts])
}

function assemble(flavor: number, tables: readonly Table[]): Buffer {
  const power = Math.floor(Math.log2(tables.length))
  const header = Buffer.alloc(12 + tables.length * 16)
  header.writeUInt32BE(flavor, 0)
  header.writeUInt16BE(tables.length, 4)
  header.writeUInt16BE(2 ** power * 16, 6)
  header.writeUInt16BE(power, 8)
  header.writeUInt16BE((tables.length - 2 ** power) * 16, 10)
  const parts = [header]
  let offset = header.length
  for (const [index, { tag, checksum, data }] of tables.entries()) {
    const record = 12 + index * 16
    header.write(tag, record, 'latin1')
    header.writeUInt32BE(checksum, record + 4)
    header.writeUInt32BE(offset, record + 8)
    header.writeUInt32BE(data.length, record + 12)
    // every table begins at a multiple of four
    const padded = Buffer.alloc(Math.ceil(data.length / 4) * 4)
    data.copy(padded)
    parts.push(padded)
    offset += padded.length
  }
  return Buffer.concat(parts)
}

function damaged(what: string, offset: number): AppError {
  return new AppError('DOCUMENT_RENDERING', `a font file is damaged: ${what}; reinstall the dependencies`, { offset })
}
