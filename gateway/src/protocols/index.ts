import { dlmsProtocol } from './dlms/driver.js'
import { mbusProtocol } from './mbus/driver.js'
import { modbusProtocol } from './modbus/driver.js'
import type { Protocol } from './protocol.js'

/** Every protocol that the gateway speaks: one line a protocol. */
export const protocols: readonly Protocol[] = [mbusProtocol, dlmsProtocol, modbusProtocol]
