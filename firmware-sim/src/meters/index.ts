import type { StartBus } from './bus-server.js'
import { startDlmsBus } from './dlms/server.js'
import { startMbusBus } from './mbus/server.js'
import { startModbusBus } from './modbus/server.js'

/** What can be put on a socket, by protocol: one line a protocol. */
export const busServers: ReadonlyMap<string, StartBus> = new Map([
  ['dlms', startDlmsBus],
  ['mbus', startMbusBus],
  ['modbus', startModbusBus]
])
