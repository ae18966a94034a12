import type { ProtocolCodec } from '../../protocol.js'
import { describeFrame } from './describe.js'
import { decodeEvidence } from './evidence.js'
import { ModbusProfileSchema } from './profile.js'

export {
  type Adu,
  encodeAdu,
  encodeException,
  encodeReadRequest,
  encodeReadResponse,
  exceptionNames,
  parseAdu,
  parseReadRequest,
  type ReadFunction,
  type RegisterRange
} from './mbap.js'
export { planReads } from './plan.js'
export { isModbusProfile, type ModbusProfile } from './profile.js'

export const modbusCodec: ProtocolCodec = {
  name: 'modbus',
  profileSchema: ModbusProfileSchema,
  checkProfile: () => [],
  decodeEvidence,
  describeFrame
}
