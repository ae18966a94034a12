import type { ProtocolCodec } from '../../protocol.js'
import { describeFrame } from './describe.js'
import { decodeEvidence } from './evidence.js'
import { MbusProfileSchema } from './profile.js'
import { problemsOfProfile } from './profile-check.js'

export type { AuthenticationLayer } from './authentication.js'
export { readAuthentication } from './authentication.js'
export { instantOf } from './clock.js'
export { aesCmac } from './cmac.js'
export { type Command, encodeCommand, highestPrimaryAddress, readCommand } from './command.js'
export type { MeterDate } from './date.js'
export {
  type EncodableRecord,
  type EncodableResponse,
  type EncodableValue,
  encodeRecord,
  encodeResponse,
  mostRecordBytes,
  mostRecordBytesOf,
  type ResponseSecurity
} from './encode.js'
export { holdsCurrent, sameDevice, withValue } from './evidence.js'
export type { MbusCode } from './failure.js'
export { fittingProfiles } from './fitting.js'
export {
  acknowledge,
  control,
  encodeLong,
  encodeShort,
  type LongFrame,
  longestFrame,
  type MbusFrame,
  readFrame,
  sharedAddress,
  splitFrames
} from './frame.js'
export { namedMedia } from './header.js'
export { isMbusProfile, type MbusProfile } from './profile.js'
export { MbusRecord } from './record.js'
export { type MbusResponse, readIdentity, readResponse } from './response.js'
export {
  encodeSelection,
  formatSecondary,
  isSelected,
  parseSecondary,
  readSelection,
  type SecondaryAddress,
  secondaryOf,
  secondaryPattern
} from './secondary-address.js'
export { type Authentication, type OpenBody, type OpenContext, openBody } from './security.js'
export { type HeaderKind, readTransportHeader, type TransportHeader } from './transport-header.js'
export { vifOf } from './value-information.js'

/** M-Bus by EN 13757-2 and -3. */
export const mbusCodec: ProtocolCodec = {
  name: 'mbus',
  profileSchema: MbusProfileSchema,
  checkProfile: problemsOfProfile,
  decodeEvidence,
  describeFrame
}
