import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'

export interface SentMetric {
  readonly name?: string
  readonly alias?: number
  readonly timestamp?: number
  readonly datatype?: number
  readonly historical?: boolean
  readonly transient?: boolean
  readonly isNull?: boolean
  readonly int?: number
  readonly long?: bigint
  readonly float?: number
  readonly double?: number
  readonly boolean?: boolean
  readonly text?: string
  readonly unit?: string
  readonly quality?: number
}

/** A Sparkplug B payload as an edge node sends it, its fields in the order of their numbers. */
export function sparkplugPayload(timestamp: number, seq: number | undefined, metrics: readonly SentMetric[]): Buffer {
  const writer = new BinaryWriter().tag(1, WireType.Varint).uint64(timestamp)
  for (const metric of metrics) {
    writer.tag(2, WireType.LengthDelimited).fork()
    writeMetric(writer, metric)
    writer.join()
  }
  if (seq !== undefined) writer.tag(3, WireType.Varint).uint64(seq)
  return Buffer.from(writer.finish())
}

function writeMetric(writer: BinaryWriter, metric: SentMetric): void {
  if (metric.name !== undefined) writer.tag(1, WireType.LengthDelimited).string(metric.name)
  if (metric.alias !== undefined) writer.tag(2, WireType.Varint).uint64(metric.alias)
  if (metric.timestamp !== undefined) writer.tag(3, WireType.Varint).uint64(metric.timestamp)
  if (metric.datatype !== undefined) writer.tag(4, WireType.Varint).uint32(metric.datatype)
  if (metric.historical === true) writer.tag(5, WireType.Varint).bool(true)
  if (metric.transient === true) writer.tag(6, WireType.Varint).bool(true)
  if (metric.isNull === true) writer.tag(7, WireType.Varint).bool(true)
  if (metric.unit !== undefined || metric.quality !== undefined) writeProperties(writer, metric)
  if (metric.int !== undefined) writer.tag(10, WireType.Varint).uint32(metric.int)
  if (metric.long !== undefined) writer.tag(11, WireType.Varint).uint64(metric.long)
  if (metric.float !== undefined) writer.tag(12, WireType.Bit32).float(metric.float)
  if (metric.double !== undefined) writer.tag(13, WireType.Bit64).double(metric.double)
  if (metric.boolean !== undefined) writer.tag(14, WireType.Varint).bool(metric.boolean)
  if (metric.text !== undefined) writer.tag(15, WireType.LengthDelimited).string(metric.text)
}

function writeProperties(writer: BinaryWriter, { unit, quality }: SentMetric): void {
  writer.tag(9, WireType.LengthDelimited).fork()
  if (unit !== undefined) writer.tag(1, WireType.LengthDelimited).string('engUnit')
  if (quality !== undefined) writer.tag(1, WireType.LengthDelimited).string('Quality')
  if (unit !== undefined) {
    writer.tag(2, WireType.LengthDelimited).fork().tag(1, WireType.Varint).uint32(12).tag(8, WireType.LengthDelimited).string(unit).join()
  }
  if (quality !== undefined) {
    writer.tag(2, WireType.LengthDelimited).fork().tag(1, WireType.Varint).uint32(3).tag(3, WireType.Varint).uint32(quality).join()
  }
  writer.join()
}
