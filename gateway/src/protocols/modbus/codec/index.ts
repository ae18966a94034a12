import type { ProtocolCodec } from '../../protocol.js'
import { checkProfile } from './check-profile.js'
import { describeFrame } from './describe.js'
import { decodeEvidence } from './evidence.js'
import { ModbusProfileSchema } from './profile.js'

export {
  encodeIdentificationRequest,
  encodeIdentificationResponse,
  type Identification,
  identificationFunction,
  identificationNames,
  parseIdentification
} from './identification.js'
export { wireAddress } from './layout.js'
export { type Adu, encodeAdu, parseAdu, parseAdus } from './mbap.js'
export {
  answerBytes,
  encodeBitsResponse,
  encodeException,
  encodeReadRequest,
  encodeReadResponse,
  exceptionNames,
  type Frame,
  matchResponse,
  parseReadRequest,
  parseReadResponse,
  type ReadFunction,
  type ReadRange,
  readsBits,
  wordsIn
} from './pdu.js'
export { planReads } from './plan.js'
export { isModbusProfile, type ModbusProfile } from './profile.js'
export { crcStep, encodeRtu, longestRtuFrame, parseRtu, rtuRequestSize, rtuResponseSize } from './rtu.js'
export { encodeTimestamp } from './timestamp.js'
export { type Orders, splitWords, type ValueType, valueTypes } from './types.js'
export { encodeWriteRequest, isWrite, parseWriteRequest, type Write, writeMismatch, writeResponse } from './write.js'

export const modbusCodec: ProtocolCodec = {
  name: 'modbus',
  profileSchema: ModbusProfileSchema,
  checkProfile,
  decodeEvidence,
  describeFrame
}
