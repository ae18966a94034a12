import type { Result } from '@endeks/domain/result'
import type { DecodeFailure, FrameContext, ProtocolCodec } from '../../protocol.js'
import { readApdu } from './apdu.js'
import { describeOpened } from './describe-ciphered.js'
import { describeHdlc } from './describe-hdlc.js'
import { decodeEvidence } from './evidence.js'
import { guarded } from './fault.js'
import { hdlcFlag, readHdlcFrame } from './hdlc-frame.js'
import { checkProfile } from './profile.js'
import { profileSchema } from './profile-schema.js'
import { ByteReader } from './reader.js'
import { readWrapper } from './wrapper.js'

/** One wrapper frame, one HDLC frame, or one APDU by itself: no APDU begins with a wrapper's zero or with a flag. */
function describeFrame(frame: Uint8Array, context: FrameContext = {}): Result<Readonly<Record<string, unknown>>, DecodeFailure> {
  return guarded(() => {
    const reader = new ByteReader(frame)
    if (frame[0] === hdlcFlag) {
      const hdlc = readHdlcFrame(reader)
      reader.finish('the HDLC frame')
      return { protocol: 'dlms', ...describeHdlc(hdlc, context.key) }
    }
    if (frame[0] !== 0) return { protocol: 'dlms', ...describeOpened(readApdu(reader), context.key) }
    const { source, destination, body } = readWrapper(reader)
    const described = describeOpened(readApdu(body), context.key)
    reader.finish('the wrapper frame')
    return { protocol: 'dlms', ...described, wrapper: { source, destination } }
  })
}

export const dlmsCodec: ProtocolCodec = { name: 'dlms', profileSchema, checkProfile, decodeEvidence, describeFrame }
