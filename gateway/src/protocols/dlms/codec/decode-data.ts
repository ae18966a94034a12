import { type DataTypeRow, type DlmsData, rowOf, type TypeDescription, typeOfTag } from './data-types.js'
import { readDate, readDateTime, readTime } from './date-time.js'
import { DlmsFault } from './fault.js'
import { type ByteReader, hexByte } from './reader.js'

/** Nesting that a sane meter never reaches (object lists have five levels), so that a hostile one cannot exhaust the stack. */
export const maxDepth = 16
/** Values in one answer. A compact array can announce many that take no bytes, so the bytes alone bound nothing. */
export const maxElements = 262_144
/** Columns of a row, which no meter has more of. */
const mostCells = 64

/** What is left to spend on one value: shared by everything nested in it. */
interface Budget {
  elements: number
}

/** Reads one value of `Data` in A-XDR (IEC 61334-6), tag first. */
export function readData(reader: ByteReader): DlmsData {
  return readTagged(reader, { elements: maxElements }, 0)
}

/** Reads values that spend one budget together: for an APDU that lists many. */
export function dataReader(): (reader: ByteReader) => DlmsData {
  const budget: Budget = { elements: maxElements }
  return (reader) => readTagged(reader, budget, 0)
}

/**
 * A value as it was read. A class, because literals on this path made one process in five read at a tenth of the speed: the engine
 * took what was alive at one early collection for long-lived, and put every later value where only full collections come.
 */
class ReadValue<Name, Value> {
  readonly type: Name
  readonly value: Value

  constructor(type: Name, value: Value) {
    this.type = type
    this.value = value
  }
}

function readTagged(reader: ByteReader, budget: Budget, depth: number): DlmsData {
  return readContents(readRow(reader), reader, budget, depth)
}

function readRow(reader: ByteReader): DataTypeRow {
  const at = reader.offset
  const tag = reader.u8()
  const row = typeOfTag(tag)
  if (row === undefined) throw new DlmsFault('DLMS_TAG', `${hexByte(tag)} is not the tag of a data type`, at)
  return row
}

function spend(reader: ByteReader, budget: Budget, depth: number): void {
  budget.elements -= 1
  if (budget.elements < 0) throw new DlmsFault('DLMS_TOO_MANY', `more than ${maxElements} values in one answer`, reader.offset)
  if (depth > maxDepth) throw new DlmsFault('DLMS_TOO_DEEP', `values are nested deeper than ${maxDepth} levels`, reader.offset)
}

function readContents(row: DataTypeRow, reader: ByteReader, budget: Budget, depth: number): DlmsData {
  spend(reader, budget, depth)
  switch (row.layout) {
    case 'empty':
      return { type: row.name }
    case 'list':
      return new ReadValue(row.name, readList(reader, budget, depth))
    case 'boolean':
      return new ReadValue(row.name, reader.u8() !== 0)
    case 'bits':
      return readBits(reader)
    case 'integer':
      return new ReadValue(row.name, readInteger(row.bytes, row.signed, reader))
    case 'long':
      return new ReadValue(row.name, row.signed ? reader.i64() : reader.u64())
    case 'float':
      return new ReadValue(row.name, row.bytes === 4 ? reader.f32() : reader.f64())
    case 'octets':
      return new ReadValue(row.name, reader.take(reader.length()))
    case 'text':
      return new ReadValue(row.name, readText(row.name === 'utf8-string' ? 'utf-8' : 'latin1', reader))
    case 'date-time':
      return new ReadValue(row.name, readDateTime(reader))
    case 'date':
      return new ReadValue(row.name, readDate(reader))
    case 'time':
      return new ReadValue(row.name, readTime(reader))
    case 'compact':
      return readCompactArray(reader, budget, depth)
  }
}

function readInteger(bytes: 1 | 2 | 4, signed: boolean, reader: ByteReader): number {
  if (bytes === 1) return signed ? reader.i8() : reader.u8()
  if (bytes === 2) return signed ? reader.i16() : reader.u16()
  return signed ? reader.i32() : reader.u32()
}

function readList(reader: ByteReader, budget: Budget, depth: number): DlmsData[] {
  const at = reader.offset
  const count = reader.length()
  // Every element takes at least its tag: a count beyond the bytes is a lie that needs no further reading.
  if (count > reader.left) throw new DlmsFault('DLMS_TRUNCATED', `${count} elements are announced, ${reader.left} bytes are there`, at)
  // A row's cells are given their room at once; a count that could be a lie is not.
  const value = count > mostCells ? [] : new Array<DlmsData>(count)
  for (let index = 0; index < count; index += 1) value[index] = readTagged(reader, budget, depth + 1)
  return value
}

function readBits(reader: ByteReader): DlmsData {
  const at = reader.offset
  const bits = reader.length()
  const value = reader.take(Math.ceil(bits / 8))
  const unused = value.length * 8 - bits
  const last = value.at(-1) ?? 0
  if ((last & ((1 << unused) - 1)) !== 0) throw new DlmsFault('DLMS_VALUE', `the ${unused} unused bits of a bit string are not zero`, at)
  return { type: 'bit-string', bits, value }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Visible strings are read byte for byte: meters put more than ISO 646 into them, and no byte may be lost. */
function readText(encoding: 'utf-8' | 'latin1', reader: ByteReader): string {
  const at = reader.offset
  const bytes = reader.take(reader.length())
  if (encoding === 'latin1') return Buffer.from(bytes).toString('latin1')
  try {
    return utf8.decode(bytes)
  } catch (thrown) {
    if (!(thrown instanceof TypeError)) throw thrown
    throw new DlmsFault('DLMS_VALUE', 'a utf8-string is not UTF-8', at)
  }
}

/** `compact-array`: SEQUENCE { contents-description, array-contents OCTET STRING } (Green Book 9.5). */
function readCompactArray(reader: ByteReader, budget: Budget, depth: number): DlmsData {
  const element = readDescription(reader, budget, depth + 1)
  const contents = reader.window(reader.length())
  const value: DlmsData[] = []
  while (contents.left > 0) {
    const before = contents.offset
    value.push(readDescribed(element, contents, budget, depth + 1))
    if (contents.offset === before) {
      throw new DlmsFault('DLMS_LENGTH', 'the elements of a compact array take no bytes, yet bytes are there', before)
    }
  }
  return { type: 'compact-array', element, value }
}

function readDescription(reader: ByteReader, budget: Budget, depth: number): TypeDescription {
  spend(reader, budget, depth)
  const at = reader.offset
  const row = readRow(reader)
  if (row.layout === 'compact') throw new DlmsFault('DLMS_TAG', 'a compact array cannot be the element of another', at)
  if (row.layout !== 'list') return { type: row.name }
  if (row.name === 'array') return { type: 'array', count: reader.u16(), element: readDescription(reader, budget, depth + 1) }
  const count = reader.length()
  if (count > reader.left) throw new DlmsFault('DLMS_TRUNCATED', `${count} descriptions are announced, ${reader.left} bytes are there`, at)
  const elements: TypeDescription[] = []
  for (let index = 0; index < count; index += 1) elements.push(readDescription(reader, budget, depth + 1))
  return { type: 'structure', elements }
}

function readDescribed(description: TypeDescription, reader: ByteReader, budget: Budget, depth: number): DlmsData {
  if (description.type === 'array') {
    spend(reader, budget, depth)
    const value: DlmsData[] = []
    for (let index = 0; index < description.count; index += 1) value.push(readDescribed(description.element, reader, budget, depth + 1))
    return { type: 'array', value }
  }
  if (description.type === 'structure') {
    spend(reader, budget, depth)
    const value: DlmsData[] = []
    for (const each of description.elements) value.push(readDescribed(each, reader, budget, depth + 1))
    return { type: 'structure', value }
  }
  return readContents(rowOf(description.type), reader, budget, depth)
}
