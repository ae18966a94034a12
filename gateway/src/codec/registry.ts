import { failure, type Result } from '@endeks/domain/result'
import { dlmsCodec } from '../protocols/dlms/codec/index.js'
import { mbusCodec } from '../protocols/mbus/codec/index.js'
import { modbusCodec } from '../protocols/modbus/codec/index.js'
import type { DecodeFailure, Evidence, MeterReadout, ProtocolCodec } from '../protocols/protocol.js'

const all: readonly ProtocolCodec[] = [dlmsCodec, mbusCodec, modbusCodec]

/** Every protocol's pure half, by the name that evidence carries. */
export const codecs: ReadonlyMap<string, ProtocolCodec> = new Map(all.map((codec) => [codec.name, codec]))

/**
 * Turns the bytes of a conversation into readings. The gateway reads with this and evidence is decoded again with this, so a
 * billed index and its proof cannot come from two different programs.
 */
export function decodeEvidence(protocol: string, evidence: Evidence): Result<MeterReadout, DecodeFailure> {
  const codec = codecs.get(protocol)
  if (codec === undefined) {
    return failure({
      code: 'PROTOCOL_UNKNOWN',
      message: `no codec is called "${protocol.slice(0, 40)}"; there are ${[...codecs.keys()].join(', ')}`
    })
  }
  return codec.decodeEvidence(evidence)
}
