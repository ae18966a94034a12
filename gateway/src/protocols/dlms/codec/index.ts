export { type Apdu, apduTags, decodeApdu, encodeApdu } from './apdu.js'
export {
  type Aare,
  type Aarq,
  applicationContexts,
  associationResults,
  type Diagnostic,
  type Rlre,
  type Rlrq,
  type UserInformation,
  userDiagnostics
} from './association-fields.js'
export { authenticationFields, challengeSizes, checkGmacReply, type GmacSide, gmacReply, mechanisms } from './authentication.js'
export { BlockAssembler, cutBlocks } from './blocks.js'
export { type CaptureObject, captureObjectsData, captureObjectsOf } from './capture-objects.js'
export {
  CipherContext,
  type CipherKey,
  type CipherKeys,
  type CipherOptions,
  type Counters,
  maxInvocationCounter,
  type Protection
} from './cipher-context.js'
export { type CipheredApdu, type CipheredName, cipheredTags, securityControl } from './ciphered.js'
export { dlmsCodec } from './codec.js'
export { allows, type ConformanceBit, conformance, conformanceBits, conformanceNames } from './conformance.js'
export { type Association, acceptAssociation } from './conversation.js'
export { type DataTypeName, type DlmsData, dataTypes, integerOf, type TypeDescription } from './data-types.js'
export {
  type CosemDate,
  type CosemDateTime,
  type CosemTime,
  clockStatus,
  formatDateTime,
  fromInstant,
  toInstant,
  unspecifiedDeviation
} from './date-time.js'
export { type ExceptionResponse, serviceFailure } from './exception.js'
export { type DlmsCode, DlmsFault, guarded } from './fault.js'
export {
  type AttributeReference,
  accessResult,
  dataAccessResults,
  type GetRequestNext,
  type GetRequestNormal,
  type GetResponseBlock,
  type GetResponseNormal,
  invokeBits,
  type SelectiveAccess
} from './get.js'
export { type HdlcAddress, type HdlcControl, hdlcControlByte } from './hdlc-fields.js'
export { decodeHdlcFrame, encodeHdlcFrame, type HdlcFrame, hdlcFlag, hdlcSizes } from './hdlc-frame.js'
export { decodeHdlcParameters, encodeHdlcParameters, type HdlcParameters, hdlcDefaults, negotiateHdlc } from './hdlc-parameters.js'
export { type HdlcEvent, HdlcReader } from './hdlc-reader.js'
export { cutSegments, type LlcDirection, type LlcFrame, maxApduBytes, readLlc, SegmentAssembler, writeLlc } from './hdlc-segments.js'
export { dlmsVersion, type InitiateRequest, type InitiateResponse, vaaNameForLogicalNames } from './initiate.js'
export { logicalName, logicalNameBytes } from './logical-name.js'
export { attributes, className, objectClasses, sortMethods } from './object-classes.js'
export { type ListedObject, type LogicalDevice, objectListOf, sapListOf } from './object-list.js'
export { OpenGet, valueIn } from './open-get.js'
export { type DlmsProfile, parseProfile } from './profile.js'
export { profileSchema } from './profile-schema.js'
export { scalerUnitData, scalerUnitOf } from './scaler-unit.js'
export { openApdu, SecureChannel } from './secure-channel.js'
export { keySize, openContents, type Seal, sealContents } from './security.js'
export {
  clockReference,
  dateTimeOctets,
  dateTimeOf,
  type EntryRange,
  entrySelector,
  rangeByClock,
  rangeByEntry,
  rangeSelector,
  readRangeByClock,
  readRangeByEntry,
  type TimeRange
} from './selective-access.js'
export type { ActionResult, AttributeTarget, GetResult, MethodTarget, Piece } from './service-layouts.js'
export { type ServiceApdu, type ServiceName, serviceRows } from './services.js'
export { decodeData, encodeData } from './value.js'
export { encodeWrapper, managementPort, publicClientPort, WrapperAssembler, type WrapperFrame, wrapperHeaderSize } from './wrapper.js'
