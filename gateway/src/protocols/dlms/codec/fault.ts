import { failure, type Result, success } from '@endeks/domain/result'
import type { DecodeFailure } from '../../protocol.js'

/** Why DLMS bytes or a DLMS conversation were refused. A code is a promise: texts may change, codes may not. */
export type DlmsCode =
  | 'DLMS_TRUNCATED'
  | 'DLMS_TRAILING'
  | 'DLMS_TAG'
  | 'DLMS_LENGTH'
  | 'DLMS_VALUE'
  | 'DLMS_NO_VALUE'
  | 'DLMS_DATE'
  | 'DLMS_TOO_DEEP'
  | 'DLMS_TOO_MANY'
  | 'DLMS_UNSUPPORTED'
  | 'DLMS_WRAPPER'
  | 'DLMS_WRONG_PORT'
  | 'DLMS_UNEXPECTED'
  | 'DLMS_INVOKE_ID'
  | 'DLMS_BLOCK'
  | 'DLMS_ACCESS'
  | 'DLMS_EXCEPTION'
  | 'DLMS_ASSOCIATION_REFUSED'
  | 'DLMS_CONFORMANCE'
  | 'DLMS_INCOMPLETE'
  | 'DLMS_PROFILE'
  | 'DLMS_UNIT'
  | 'DLMS_IDENTITY'
  | 'DLMS_TIMEOUT'
  | 'DLMS_TOO_LONG'
  | 'DLMS_CLOSED'
  | 'DLMS_HDLC'
  | 'DLMS_HDLC_SEQUENCE'
  | 'DLMS_CHECKSUM'
  | 'DLMS_KEY'
  | 'DLMS_SYSTEM_TITLE'
  | 'DLMS_SECURITY_LEVEL'
  | 'DLMS_WRONG_KEY_OR_DAMAGED'
  | 'DLMS_COUNTER'
  | 'DLMS_DECIPHERED'
  | 'DLMS_AUTHENTICATION'
  | 'DLMS_SERVICE_ERROR'
  | 'DLMS_DISCONNECTED'
  | 'DLMS_ADDRESS'
  | 'DLMS_CAPTURES'
  | 'BUS_UNREACHABLE'
  | 'BUS_NEVER_QUIET'
  | 'READ_ABORTED'
  | 'COMMAND_UNSUPPORTED'

/**
 * Thrown inside the codec only, where unwinding a dozen nested readers by hand would hide the layout. Every public function
 * turns it into a `Result` with `guarded`; the driver turns it into a `ReadFailure`.
 */
export class DlmsFault extends Error {
  readonly code: DlmsCode
  readonly offset: number | undefined

  constructor(code: DlmsCode, message: string, offset?: number) {
    super(message)
    this.name = 'DlmsFault'
    this.code = code
    this.offset = offset
  }
}

/** Runs a decoder and gives its fault back as a value. Anything else that is thrown is a bug and goes on as one. */
export function guarded<Value>(work: () => Value): Result<Value, DecodeFailure> {
  try {
    return success(work())
  } catch (thrown) {
    if (!(thrown instanceof DlmsFault)) throw thrown
    const { code, message, offset } = thrown
    return failure(offset === undefined ? { code, message } : { code, message, offset })
  }
}
