import { type DataTypeName, type DlmsData, type IntegerType, rowOf, type TypeDescription, tagOf } from './data-types.js'
import { writeDate, writeDateTime, writeTime } from './date-time.js'
import { DlmsFault } from './fault.js'
import { ByteWriter } from './writer.js'

/**
 * Writes one value of `Data` in A-XDR, tag first.
 *
 * @throws {DlmsFault} DLMS_VALUE for an integer outside its type, or an element that is not what its compact array describes
 */
export function writeData(writer: ByteWriter, data: DlmsData): ByteWriter {
  return writeContents(writer.u8(tagOf(data.type)), data)
}

function writeContents(writer: ByteWriter, data: DlmsData): ByteWriter {
  switch (data.type) {
    case 'null-data':
    case 'dont-care':
      return writer
    case 'array':
    case 'structure':
      writer.length(data.value.length)
      for (const element of data.value) writeData(writer, element)
      return writer
    case 'boolean':
      return writer.u8(data.value ? 1 : 0)
    case 'bit-string':
      if (data.value.length !== Math.ceil(data.bits / 8)) throw new DlmsFault('DLMS_VALUE', `${data.bits} bits do not fill their bytes`)
      return writer.length(data.bits).raw(data.value)
    case 'octet-string':
      return writer.counted(data.value)
    case 'visible-string':
      return writer.counted(Buffer.from(data.value, 'latin1'))
    case 'utf8-string':
      return writer.counted(Buffer.from(data.value, 'utf8'))
    case 'long64':
    case 'long64-unsigned':
      return writer.u64(within(data.type, data.value, 64, data.type === 'long64'))
    case 'float32':
      return writer.f32(data.value)
    case 'float64':
      return writer.f64(data.value)
    case 'date-time':
      return writeDateTime(writer, data.value)
    case 'date':
      return writeDate(writer, data.value)
    case 'time':
      return writeTime(writer, data.value)
    case 'compact-array':
      return writeCompactArray(writer, data.element, data.value)
    default:
      return writeInteger(writer, data.type, data.value)
  }
}

function within(type: DataTypeName, value: bigint, bits: number, signed: boolean): bigint {
  const fitted = signed ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value)
  if (fitted !== value) throw new DlmsFault('DLMS_VALUE', `${value} does not fit into a ${type}`)
  return value
}

function writeInteger(writer: ByteWriter, type: IntegerType, value: number): ByteWriter {
  const row = rowOf(type)
  if (row.layout !== 'integer' || !Number.isInteger(value)) throw new DlmsFault('DLMS_VALUE', `${value} is not a ${type}`)
  within(type, BigInt(value), row.bytes * 8, row.signed)
  if (row.bytes === 1) return writer.u8(value)
  return row.bytes === 2 ? writer.u16(value) : writer.u32(value)
}

function writeCompactArray(writer: ByteWriter, element: TypeDescription, value: readonly DlmsData[]): ByteWriter {
  writeDescription(writer, element)
  const contents = new ByteWriter()
  for (const each of value) writeDescribed(contents, element, each)
  return writer.counted(contents.finish())
}

function writeDescription(writer: ByteWriter, description: TypeDescription): void {
  writer.u8(tagOf(description.type))
  if (description.type === 'array') {
    writeDescription(writer.u16(description.count), description.element)
  } else if (description.type === 'structure') {
    writer.length(description.elements.length)
    for (const each of description.elements) writeDescription(writer, each)
  }
}

function writeDescribed(writer: ByteWriter, description: TypeDescription, data: DlmsData): void {
  if (data.type !== description.type) throw new DlmsFault('DLMS_VALUE', `a ${data.type} stands where ${description.type} is described`)
  if (description.type === 'array' && data.type === 'array') {
    if (data.value.length !== description.count)
      throw new DlmsFault('DLMS_VALUE', `an array has not the ${description.count} elements described`)
    for (const each of data.value) writeDescribed(writer, description.element, each)
  } else if (description.type === 'structure' && data.type === 'structure') {
    if (data.value.length !== description.elements.length) throw new DlmsFault('DLMS_VALUE', 'a structure has not the elements described')
    for (const [index, each] of description.elements.entries()) {
      const element = data.value[index]
      if (element !== undefined) writeDescribed(writer, each, element)
    }
  } else {
    writeContents(writer, data)
  }
}
