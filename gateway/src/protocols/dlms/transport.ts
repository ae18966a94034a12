import type { Bytes } from './wire.js'

/** Carries APDUs between one client and one logical device, over the wrapper or HDLC: the layer above knows no more of it. */
export interface ApduTransport {
  /**
   * @param kept the APDU as `conversation` and `heard` are to have it, of the same length, where a secret stands in it
   * @throws {DlmsFault} DLMS_TIMEOUT, DLMS_CLOSED, READ_ABORTED, and what the framing refuses
   */
  exchange(apdu: Uint8Array, kept?: Uint8Array): Promise<Uint8Array>
  /** the conversation as evidence has it: frames alone, whole and from this meter */
  readonly conversation: Bytes
  /** everything that went over the line so far, noise included */
  readonly heard: Bytes
  /** an association on it ends by RLRQ; where not, by closing */
  readonly releases: boolean
  /** Says farewell, where the framing has a word for it and the line still stands. */
  close(): Promise<void>
}
