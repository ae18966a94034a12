import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire'
import type { EpochMs } from '@endeks/domain/time'
import { commandTopic } from './topic.js'

const boolean = 11

/** The command by which an edge node is asked for its birth certificates (Sparkplug 3.0.0, chapter 6, NCMD). */
export function rebirthRequest(group: string, edge: string, now: EpochMs): { readonly topic: string; readonly payload: Buffer } {
  const writer = new BinaryWriter().tag(1, WireType.Varint).uint64(now)
  writer.tag(2, WireType.LengthDelimited).fork()
  writer.tag(1, WireType.LengthDelimited).string('Node Control/Rebirth')
  writer.tag(3, WireType.Varint).uint64(now)
  writer.tag(4, WireType.Varint).uint32(boolean)
  writer.tag(14, WireType.Varint).bool(true)
  return { topic: commandTopic(group, edge), payload: Buffer.from(writer.join().finish()) }
}
