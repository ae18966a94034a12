import type { BusServerOptions, StartBus } from './bus-server.js'
import { hdlcAddress } from './dlms/hdlc-line.js'
import { logicalDevices } from './dlms/logical-device.js'
import { startDlmsBus } from './dlms/server.js'
import { wrapperAddress } from './dlms/wrapper-line.js'
import { startMbusBus } from './mbus/server.js'
import { MbusSlave } from './mbus/slave.js'
import type { SimulatedMeter } from './meter.js'
import { startModbusBus } from './modbus/server.js'
import { ModbusUnit } from './modbus/unit.js'

export interface SimulatedProtocol {
  /** Puts the meters of a bus on a socket. */
  readonly start: StartBus
  /** @throws {AppError} CONFIG_INVALID or VALIDATION when a meter can't stand on such a bus */
  tryOut(meter: SimulatedMeter, bus: Pick<BusServerOptions, 'mbus' | 'modbus' | 'dlms'>): unknown
}

/** What can be put on a socket: one entry a protocol. */
export const simulatedProtocols: ReadonlyMap<string, SimulatedProtocol> = new Map([
  [
    'dlms',
    { start: startDlmsBus, tryOut: (meter, { dlms }) => logicalDevices([meter], dlms?.framing === 'hdlc' ? hdlcAddress : wrapperAddress) }
  ],
  ['mbus', { start: startMbusBus, tryOut: (meter) => new MbusSlave(meter) }],
  ['modbus', { start: startModbusBus, tryOut: (meter, { modbus = {} }) => new ModbusUnit(meter, modbus) }]
] satisfies [string, SimulatedProtocol][])
