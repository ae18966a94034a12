import type { Socket } from 'node:net'
import { AppError } from '@endeks/domain/errors'
import { modbus } from '@endeks/gateway/codec'
import type { Reply } from '../answer-line.js'
import type { StartBus } from '../bus-server.js'
import { listenTcp } from '../tcp-server.js'
import { RtuRequests } from './rtu-requests.js'
import { ModbusUnit } from './unit.js'

const targetSilent = 11
/** The longest frame (Modbus Messaging on TCP/IP V1.0b, 4.1). */
const longestFrame = 260

type Units = ReadonlyMap<number, ModbusUnit>

/**
 * Meters behind a converter. With Modbus TCP it answers for units that are not there, exception 11; a transparent one, with
 * RTU, leaves them silent, as it does broadcasts.
 *
 * @throws {AppError} CONFIG_INVALID when two meters have one unit or the bus can't have one of them
 */
export const startModbusBus: StartBus = async (options) => {
  const own = options.modbus ?? {}
  const units = new Map(options.meters.map((meter) => new ModbusUnit(meter, own)).map((unit) => [unit.unit, unit]))
  if (units.size < options.meters.length) throw new AppError('CONFIG_INVALID', 'two meters of a bus have the same unit')
  const serve = own.framing === 'rtu' ? serveRtu : serveTcp
  return listenTcp(options, (socket, reply) => serve(socket, units, reply))
}

function serveTcp(socket: Socket, units: Units, reply: Reply): void {
  let held: Buffer = Buffer.alloc(0)
  socket.on('data', (chunk) => {
    held = Buffer.concat([held, chunk])
    while (held.length >= 8) {
      const adu = modbus.parseAdu(held, 0)
      if (adu.ok) {
        const { unit, transaction, size, pdu } = adu.value
        const answer = units.get(unit)?.answer(adu.value) ?? modbus.encodeException(pdu[0] ?? 0, targetSilent)
        reply(held.subarray(0, size), { address: String(unit), bytes: modbus.encodeAdu(transaction, unit, answer) })
        held = held.subarray(size)
      } else if (adu.error.code === 'MODBUS_TRUNCATED' && held.length < longestFrame) return
      else {
        // Where the next frame begins cannot be known any more (4.2.2: an invalid header closes the connection).
        socket.destroy()
        return
      }
    }
  })
}

function serveRtu(socket: Socket, units: Units, reply: Reply): void {
  const requests = new RtuRequests()
  socket.on('data', (chunk) => {
    for (const request of requests.push(chunk)) {
      const answer = units.get(request.unit)?.answer(request)
      const bytes = answer === undefined ? undefined : modbus.encodeRtu(request.unit, answer)
      reply(modbus.encodeRtu(request.unit, request.pdu), ...(bytes === undefined ? [] : [{ address: String(request.unit), bytes }]))
    }
  })
}
