import type { Obis } from '@endeks/domain/metering'
import type { DlmsData } from './data-types.js'
import { type CosemDateTime, dateTimeSize, readDateTime, writeDateTime } from './date-time.js'
import { dataReader, readData } from './decode-data.js'
import { writeData } from './encode-data.js'
import { DlmsFault } from './fault.js'
import { type AttributeReference, readAttribute, readChoice, type SelectiveAccess, writeAttribute } from './get.js'
import { logicalNameBytes, readLogicalName } from './logical-name.js'
import type { ByteReader } from './reader.js'
import type { ByteWriter } from './writer.js'

/** An attribute, and which part of it: Cosem-Attribute-Descriptor-With-Selection. */
export interface AttributeTarget extends AttributeReference {
  readonly access?: SelectiveAccess
}

/** A method of a COSEM object: Cosem-Method-Descriptor. */
export interface MethodTarget {
  readonly class: number
  readonly obis: Obis
  readonly method: number
}

/** Get-Data-Result: a value, or a Data-Access-Result. */
export type GetResult = { readonly data: DlmsData } | { readonly error: number }

/** Action-Response-With-Optional-Data: an Action-Result, and what the method gives back. */
export interface ActionResult {
  readonly result: number
  readonly returned?: GetResult
}

/** DataBlock-SA: a piece of an encoded value or list, cut anywhere. */
export interface Piece {
  readonly last: boolean
  readonly block: number
  readonly raw: Uint8Array
}

/** What a field of a service APDU is laid out as, and what it becomes. */
export interface ServiceValues {
  readonly invoke: number
  /** Long-Invoke-Id-And-Priority of pushes: the low 24 bits are the id */
  readonly 'long-invoke': number
  readonly block: number
  readonly piece: Piece
  readonly attribute: AttributeTarget
  readonly 'plain-attribute': AttributeReference
  readonly attributes: readonly AttributeTarget[]
  readonly method: MethodTarget
  readonly methods: readonly MethodTarget[]
  readonly data: DlmsData
  readonly 'optional-data': DlmsData | undefined
  readonly values: readonly DlmsData[]
  readonly result: number
  readonly results: readonly number[]
  readonly 'get-results': readonly GetResult[]
  readonly 'action-result': ActionResult
  readonly 'action-results': readonly ActionResult[]
  /** an octet string that is empty where the sender has no clock */
  readonly time: CosemDateTime | undefined
  /** OPTIONAL, with a flag in front */
  readonly 'optional-time': CosemDateTime | undefined
}

export interface ServiceLayout<Value> {
  read(reader: ByteReader): Value
  write(writer: ByteWriter, value: Value): void
}

type ReadData = (reader: ByteReader) => DlmsData

const u8: ServiceLayout<number> = { read: (reader) => reader.u8(), write: (writer, value) => void writer.u8(value) }
const u32: ServiceLayout<number> = { read: (reader) => reader.u32(), write: (writer, value) => void writer.u32(value) }

/** SEQUENCE OF: a count, then the elements. Each takes a byte at least, so the bytes bound a count that lies. */
function readMany<Value>(reader: ByteReader, read: (reader: ByteReader) => Value): Value[] {
  const values: Value[] = []
  for (let left = reader.length(); left > 0; left -= 1) values.push(read(reader))
  return values
}

function many<Value>(element: ServiceLayout<Value>): ServiceLayout<readonly Value[]> {
  return {
    read: (reader) => readMany(reader, element.read),
    write(writer, values) {
      writer.length(values.length)
      for (const value of values) element.write(writer, value)
    }
  }
}

function readTarget(reader: ByteReader, read: ReadData): AttributeTarget {
  const reference = readAttribute(reader)
  if (readChoice(reader, 'the access selection') === 0) return reference
  return { ...reference, access: { selector: reader.u8(), parameters: read(reader) } }
}

function writeTarget(writer: ByteWriter, value: AttributeTarget): void {
  writeAttribute(writer, value)
  if (value.access === undefined) writer.u8(0)
  else writeData(writer.u8(1).u8(value.access.selector), value.access.parameters)
}

const method: ServiceLayout<MethodTarget> = {
  read: (reader) => ({ class: reader.u16(), obis: readLogicalName(reader), method: reader.i8() }),
  write: (writer, value) => void writer.u16(value.class).raw(logicalNameBytes(value.obis)).u8(value.method)
}

const piece: ServiceLayout<Piece> = {
  read: (reader) => ({ last: readChoice(reader, 'last-block') === 1, block: reader.u32(), raw: reader.take(reader.length()) }),
  write: (writer, value) =>
    void writer
      .u8(value.last ? 1 : 0)
      .u32(value.block)
      .counted(value.raw)
}

function readGetResult(reader: ByteReader, read: ReadData): GetResult {
  return readChoice(reader, 'the result') === 0 ? { data: read(reader) } : { error: reader.u8() }
}

function writeGetResult(writer: ByteWriter, value: GetResult): void {
  if ('data' in value) writeData(writer.u8(0), value.data)
  else writer.u8(1).u8(value.error)
}

function readActionResult(reader: ByteReader, read: ReadData): ActionResult {
  const result = reader.u8()
  if (readChoice(reader, 'the presence of return parameters') === 0) return { result }
  return { result, returned: readGetResult(reader, read) }
}

function writeActionResult(writer: ByteWriter, value: ActionResult): void {
  writer.u8(value.result)
  if (value.returned === undefined) writer.u8(0)
  else writeGetResult(writer.u8(1), value.returned)
}

/** A list whose values share one budget: a thousand compact arrays of nothing must not cost a thousand times what one may. */
function manyWithData<Value>(
  read: (reader: ByteReader, readOne: ReadData) => Value,
  write: (writer: ByteWriter, value: Value) => void
): ServiceLayout<readonly Value[]> {
  return {
    read(reader) {
      const readOne = dataReader()
      return readMany(reader, (each) => read(each, readOne))
    },
    write: many({ read: (reader) => read(reader, readData), write }).write
  }
}

function readTime(reader: ByteReader, size: number, at: number): CosemDateTime {
  if (size !== dateTimeSize) throw new DlmsFault('DLMS_LENGTH', `a date-time has ${dateTimeSize} bytes, not ${size}`, at)
  return readDateTime(reader)
}

export const serviceLayouts: { readonly [Name in keyof ServiceValues]: ServiceLayout<ServiceValues[Name]> } = {
  invoke: u8,
  'long-invoke': u32,
  block: u32,
  piece,
  attribute: { read: (reader) => readTarget(reader, readData), write: writeTarget },
  'plain-attribute': { read: readAttribute, write: (writer, value) => void writeAttribute(writer, value) },
  attributes: manyWithData(readTarget, writeTarget),
  method,
  methods: many(method),
  data: { read: readData, write: (writer, value) => void writeData(writer, value) },
  'optional-data': {
    read: (reader) => (readChoice(reader, 'the presence of parameters') === 0 ? undefined : readData(reader)),
    write: (writer, value) => void (value === undefined ? writer.u8(0) : writeData(writer.u8(1), value))
  },
  values: manyWithData(
    (reader, read) => read(reader),
    (writer, value) => void writeData(writer, value)
  ),
  result: u8,
  results: many(u8),
  'get-results': manyWithData(readGetResult, writeGetResult),
  'action-result': { read: (reader) => readActionResult(reader, readData), write: writeActionResult },
  'action-results': manyWithData(readActionResult, writeActionResult),
  time: {
    read(reader) {
      const at = reader.offset
      const size = reader.length()
      return size === 0 ? undefined : readTime(reader, size, at)
    },
    write: (writer, value) => void (value === undefined ? writer.u8(0) : writeDateTime(writer.u8(dateTimeSize), value))
  },
  'optional-time': {
    read(reader) {
      if (readChoice(reader, 'the presence of a time') === 0) return undefined
      const at = reader.offset
      return readTime(reader, reader.length(), at)
    },
    write: (writer, value) => void (value === undefined ? writer.u8(0) : writeDateTime(writer.u8(1).u8(dateTimeSize), value))
  }
}
