import { BinaryReader, WireType } from '@bufbuild/protobuf/wire'
import { AppError } from '@endeks/domain/errors'
import { failure, type Result, success } from '@endeks/domain/result'

/** A metric as far as readings are concerned. What is not told is undefined. */
export interface Metric {
  name?: string
  alias?: bigint
  timestamp?: bigint
  datatype?: number
  isHistorical: boolean
  isTransient: boolean
  isNull: boolean
  /** of int_value and long_value, which are unsigned on the wire */
  integer?: bigint
  float?: number
  double?: number
  /** a value of another kind: what kind */
  other?: string
  readonly properties: Properties
}

interface Properties {
  readonly keys: string[]
  readonly values: PropertyValue[]
}

export interface PropertyValue {
  integer?: bigint
  text?: string
}

export interface Payload {
  timestamp?: bigint
  seq?: bigint
  readonly metrics: Metric[]
}

const mostMetrics = 10_000
const mostProperties = 64

/** What stands in each field of a message: the wire type it must have, and what of the message it tells. */
type Layout<Target> = Readonly<
  Record<number, { readonly wire: WireType; readonly take: (reader: BinaryReader, target: Target) => Partial<Target> }>
>

const { Varint, LengthDelimited, Bit32, Bit64 } = WireType

/** @see Sparkplug 3.0.0, chapter 6, the schema of its payloads: message PropertyValue */
const propertyValueLayout: Layout<PropertyValue> = {
  3: { wire: Varint, take: (reader) => ({ integer: BigInt(reader.uint32()) }) },
  4: { wire: Varint, take: (reader) => ({ integer: BigInt(reader.uint64()) }) },
  8: { wire: LengthDelimited, take: (reader) => ({ text: reader.string(true) }) }
}

/** The same, message PropertySet. */
const propertySetLayout: Layout<Properties> = {
  1: { wire: LengthDelimited, take: (reader, { keys }) => ({ keys: pushWithin(keys, reader.string(true), mostProperties, 'properties') }) },
  2: {
    wire: LengthDelimited,
    take: (reader, { values }) => ({
      values: pushWithin(values, readMessage(reader.bytes(), propertyValueLayout, {}), mostProperties, 'properties')
    })
  }
}

const other = (kind: string): Layout<Metric>[number] => ({
  wire: LengthDelimited,
  take: (reader) => {
    reader.bytes()
    return { other: kind }
  }
})

/** The same, message Metric. */
const metricLayout: Layout<Metric> = {
  1: { wire: LengthDelimited, take: (reader) => ({ name: reader.string(true) }) },
  2: { wire: Varint, take: (reader) => ({ alias: BigInt(reader.uint64()) }) },
  3: { wire: Varint, take: (reader) => ({ timestamp: BigInt(reader.uint64()) }) },
  4: { wire: Varint, take: (reader) => ({ datatype: reader.uint32() }) },
  5: { wire: Varint, take: (reader) => ({ isHistorical: reader.bool() }) },
  6: { wire: Varint, take: (reader) => ({ isTransient: reader.bool() }) },
  7: { wire: Varint, take: (reader) => ({ isNull: reader.bool() }) },
  9: {
    wire: LengthDelimited,
    take: (reader, { properties }) => ({ properties: readMessage(reader.bytes(), propertySetLayout, properties) })
  },
  10: { wire: Varint, take: (reader) => ({ integer: BigInt(reader.uint32()) }) },
  11: { wire: Varint, take: (reader) => ({ integer: BigInt(reader.uint64()) }) },
  12: { wire: Bit32, take: (reader) => ({ float: reader.float() }) },
  13: { wire: Bit64, take: (reader) => ({ double: reader.double() }) },
  14: { wire: Varint, take: (reader) => ({ other: String(reader.bool()) }) },
  15: { wire: LengthDelimited, take: (reader) => ({ other: JSON.stringify(reader.string(true).slice(0, 40)) }) },
  16: other('a byte string'),
  17: other('a data set'),
  18: other('a template'),
  19: other('an extension')
}

/** The same, message Payload. */
const payloadLayout: Layout<Payload> = {
  1: { wire: Varint, take: (reader) => ({ timestamp: BigInt(reader.uint64()) }) },
  2: {
    wire: LengthDelimited,
    take: (reader, { metrics }) => ({
      metrics: pushWithin(metrics, readMessage(reader.bytes(), metricLayout, emptyMetric()), mostMetrics, 'metrics')
    })
  },
  3: { wire: Varint, take: (reader) => ({ seq: BigInt(reader.uint64()) }) }
}

/** A Sparkplug B payload; fields of which nothing is wanted are passed over, as the notation asks for. */
export function readPayload(bytes: Uint8Array): Result<Payload, AppError> {
  try {
    return success(readMessage<Payload>(bytes, payloadLayout, { metrics: [] }))
  } catch (thrown) {
    if (thrown instanceof AppError) return failure(thrown)
    // The reader throws plain errors, range errors and type errors for every fault of the bytes.
    if (thrown instanceof Error) return failure(new AppError('MESSAGE_MALFORMED', `no Sparkplug payload: ${thrown.message}`))
    throw thrown
  }
}

function readMessage<Target extends object>(bytes: Uint8Array, layout: Layout<Target>, target: Target): Target {
  const reader = new BinaryReader(bytes)
  while (reader.pos < reader.len) {
    const [number, wire] = reader.tag()
    const field = layout[number]
    if (field === undefined) {
      reader.skip(wire, number)
      continue
    }
    if (field.wire !== wire)
      throw new AppError('MESSAGE_MALFORMED', `no Sparkplug payload: field ${number} has wire type ${wire}, not ${field.wire}`)
    Object.assign(target, field.take(reader, target))
  }
  return target
}

function emptyMetric(): Metric {
  return { isHistorical: false, isTransient: false, isNull: false, properties: { keys: [], values: [] } }
}

function pushWithin<Item>(items: Item[], item: Item, most: number, what: string): Item[] {
  if (items.length >= most) throw new AppError('MESSAGE_TOO_LARGE', `more than ${most} ${what}; send less at once`)
  items.push(item)
  return items
}
