import type { Socket } from 'node:net'
import { AppError } from '@endeks/domain/errors'
import { dlms } from '@endeks/gateway/codec'
import type { BusServer, BusServerOptions } from '../bus-server.js'
import type { SimulatedMeter } from '../meter.js'
import { listenTcp } from '../tcp-server.js'
import { MeterAssociation } from './association.js'

export interface DlmsBusOptions extends BusServerOptions {
  /** longest APDU that the meters take and send; what is longer goes in blocks */
  readonly maxPduSize?: number
}

/** How long a connection may be silent, and how many client and meter pairs it may carry. */
const idleMs = 120_000
const maxAssociations = 1024

/**
 * Puts meters on one TCP port, as a concentrator does: each is a logical device behind its own wPort, which its address names.
 * A frame for a wPort where no meter stands gets no answer.
 *
 * @throws {AppError} VALIDATION for an address that is not a wPort or is used twice, PORT_TAKEN
 */
export async function startDlmsBus(options: DlmsBusOptions): Promise<BusServer> {
  const meters = metersByPort(options.meters)
  return listenTcp(options, (socket) => serve(socket, meters, options.maxPduSize))
}

function metersByPort(meters: readonly SimulatedMeter[]): ReadonlyMap<number, SimulatedMeter> {
  const byPort = new Map<number, SimulatedMeter>()
  for (const meter of meters) {
    const port = /^[1-9]\d{0,4}$/.test(meter.address) ? Number(meter.address) : Number.NaN
    if (!(port <= 0xffff)) throw new AppError('VALIDATION', `"${meter.address}" is not a wPort from 1 to 65535`)
    if (byPort.has(port)) throw new AppError('VALIDATION', `two meters have the wPort ${port}`)
    byPort.set(port, meter)
  }
  return byPort
}

/** One connection. Associations belong to it: they end when it ends. */
function serve(socket: Socket, meters: ReadonlyMap<number, SimulatedMeter>, maxPduSize: number | undefined): void {
  const assembler = new dlms.WrapperAssembler()
  const associations = new Map<string, MeterAssociation>()
  socket.setTimeout(idleMs, () => socket.destroy())
  socket.on('data', (chunk) => {
    for (const { source, destination, apdu } of framesOf(assembler, chunk, socket)) {
      const meter = meters.get(destination)
      if (meter === undefined) continue
      const key = `${source}/${destination}`
      const association = associations.get(key) ?? new MeterAssociation(meter, maxPduSize)
      if (associations.size < maxAssociations) associations.set(key, association)
      socket.write(dlms.encodeWrapper({ source: destination, destination: source, apdu: association.answer(apdu) }))
    }
  })
}

/** A stream that is not the wrapper cannot be found back into: the connection ends. */
function framesOf(assembler: dlms.WrapperAssembler, chunk: Uint8Array, socket: Socket): readonly dlms.WrapperFrame[] {
  try {
    return assembler.push(chunk)
  } catch (thrown) {
    if (!(thrown instanceof dlms.DlmsFault)) throw thrown
    socket.destroy()
    return []
  }
}
