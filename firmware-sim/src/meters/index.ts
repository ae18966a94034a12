import type { StartBus } from './bus-server.js'
import { startDlmsBus } from './dlms/server.js'
import { startMbusBus } from './mbus/server.js'
import { refusalOf as refusalOfMbus } from './mbus/slave.js'
import type { SimulatedMeter } from './meter.js'
import { startModbusBus } from './modbus/server.js'

/** What can be put on a socket, by protocol: one line a protocol. */
export const busServers: ReadonlyMap<string, StartBus> = new Map([
  ['dlms', startDlmsBus],
  ['mbus', startMbusBus],
  ['modbus', startModbusBus]
])

/** Why a protocol can't say what a meter shows, or undefined when it can; protocols that say everything have no line here. */
export const refusals: ReadonlyMap<string, (meter: SimulatedMeter) => string | undefined> = new Map([['mbus', refusalOfMbus]])
