import type { Result } from '@endeks/domain/result'
import type { DecodeFailure, ProtocolCodec } from '../../protocol.js'
import { readApdu } from './apdu.js'
import { describeApdu } from './describe.js'
import { decodeEvidence } from './evidence.js'
import { guarded } from './fault.js'
import { profileSchema } from './profile.js'
import { ByteReader } from './reader.js'
import { readWrapper } from './wrapper.js'

/** One wrapper frame, or one APDU without it: no APDU begins with the zero that a wrapper's version begins with. */
function describeFrame(frame: Uint8Array): Result<Readonly<Record<string, unknown>>, DecodeFailure> {
  return guarded(() => {
    const reader = new ByteReader(frame)
    if (frame[0] !== 0) return { protocol: 'dlms', ...describeApdu(readApdu(reader)) }
    const { source, destination, body } = readWrapper(reader)
    const described = describeApdu(readApdu(body))
    reader.finish('the wrapper frame')
    return { protocol: 'dlms', ...described, wrapper: { source, destination } }
  })
}

export const dlmsCodec: ProtocolCodec = { name: 'dlms', profileSchema, decodeEvidence, describeFrame }
