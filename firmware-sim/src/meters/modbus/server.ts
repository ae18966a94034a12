import type { Socket } from 'node:net'
import { AppError } from '@endeks/domain/errors'
import { modbus } from '@endeks/gateway/codec'
import type { BusServerOptions, StartBus } from '../bus-server.js'
import type { SimulatedMeter } from '../meter.js'
import { listenTcp } from '../tcp-server.js'
import { readRegisters } from './registers.js'

const illegalFunction = 1
const illegalAddress = 2
const targetSilent = 11
/** The longest frame (Modbus Messaging on TCP/IP V1.0b, 4.1). */
const longestFrame = 260

/** Pulse loggers behind one Modbus TCP converter; a meter's address is its unit identifier. */
export const startModbusBus: StartBus = (options: BusServerOptions) => {
  const meters = new Map(options.meters.map((meter) => [unitOf(meter), meter]))
  return listenTcp(options, (socket) => serve(socket, meters))
}

function unitOf(meter: SimulatedMeter): number {
  const unit = Number(meter.address)
  if (!/^\d{1,3}$/.test(meter.address) || unit > 255) {
    throw new AppError('CONFIG_INVALID', `"${meter.address}" is no unit identifier: 0 to 255`)
  }
  // The register map gives an index 32 bits and a serial number 16 characters.
  if (meter.digits > 9 || meter.identity.id.length > 16) {
    throw new AppError('CONFIG_INVALID', `meter ${meter.identity.id}: a logger's dial has at most 9 digits and its serial 16 characters`)
  }
  return unit
}

function serve(socket: Socket, meters: ReadonlyMap<number, SimulatedMeter>): void {
  let held: Buffer = Buffer.alloc(0)
  socket.on('data', (chunk) => {
    held = Buffer.concat([held, chunk])
    while (held.length >= 8) {
      const adu = modbus.parseAdu(held, 0)
      if (adu.ok) {
        socket.write(answer(adu.value, meters))
        held = held.subarray(adu.value.size)
      } else if (adu.error.code === 'MODBUS_TRUNCATED' && held.length < longestFrame) return
      else {
        // Where the next frame begins cannot be known any more (4.2.2: an invalid header closes the connection).
        socket.destroy()
        return
      }
    }
  })
}

function answer(request: modbus.Adu, meters: ReadonlyMap<number, SimulatedMeter>): Uint8Array {
  const code = request.pdu[0] ?? 0
  const refuse = (exception: number): Uint8Array =>
    modbus.encodeAdu(request.transaction, request.unit, modbus.encodeException(code, exception))
  const meter = meters.get(request.unit)
  if (meter === undefined) return refuse(targetSilent)
  const range = modbus.parseReadRequest(request)
  if (!range.ok) return refuse(range.error.code === 'MODBUS_FUNCTION' ? illegalFunction : illegalAddress)
  const registers = range.value.function === 3 ? readRegisters(meter, range.value.address, range.value.count) : undefined
  if (registers === undefined) return refuse(illegalAddress)
  return modbus.encodeAdu(request.transaction, request.unit, modbus.encodeReadResponse(3, registers))
}
