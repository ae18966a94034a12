import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import { dlms } from '@endeks/gateway/codec'
import type { Reply } from '../answer-line.js'
import type { BusServer, BusServerOptions } from '../bus-server.js'
import { listenTcp } from '../tcp-server.js'
import { HdlcLine, hdlcAddress } from './hdlc-line.js'
import type { Line, Random } from './line.js'
import { type LogicalDevice, logicalDevices } from './logical-device.js'
import { notification } from './push.js'
import { WrapperLine, wrapperAddress } from './wrapper-line.js'

export interface DlmsBusOptions extends BusServerOptions {
  /** challenges of meters; of the operating system unless told */
  readonly random?: Random
}

/** How long a connection may be silent. */
const idleMs = 120_000

/**
 * Puts meters on one TCP port: each is a logical device behind its own wPort, or a station of an HDLC line. A frame for an address
 * where no meter stands gets no answer.
 *
 * @throws {AppError} VALIDATION for an address that is none or is used twice and for options that do not fit together, PORT_TAKEN
 */
export async function startDlmsBus(options: DlmsBusOptions): Promise<BusServer> {
  const { dlms: bus = {}, meters, random = randomBytes } = options
  const framed = bus.framing === 'hdlc'
  const devices = logicalDevices(meters, framed ? hdlcAddress : wrapperAddress)
  const open = () => (framed ? new HdlcLine(devices, bus.hdlc ?? {}, random) : new WrapperLine(devices, random))
  return listenTcp(options, (socket, reply) => {
    const line = open()
    serve(socket, line, reply)
    push({ socket, line, reply, devices })
  })
}

/** One connection. Associations belong to it: they end when it ends. */
function serve(socket: Socket, line: Line, reply: Reply): void {
  socket.setTimeout(idleMs, () => socket.destroy())
  socket.on('data', (chunk) => {
    const exchanges = dlms.guarded(() => line.receive(chunk))
    // A stream that is not the wrapper cannot be found back into.
    if (!exchanges.ok) socket.destroy()
    else for (const { request, answer } of exchanges.value) reply(request, ...(answer === undefined ? [] : [answer]))
  })
}

interface Pushing {
  readonly socket: Socket
  readonly line: Line
  readonly reply: Reply
  readonly devices: readonly LogicalDevice[]
}

/** Meters that tell without being asked do so on every connection that is open. */
function push({ socket, line, reply, devices }: Pushing): void {
  const timers = devices.flatMap((logical) => {
    const options = logical.standing.device.options.push
    if (options === undefined) return []
    const client = options.client ?? dlms.publicClientPort
    let count = 0
    const tell = () => {
      count += 1
      const { device } = logical.standing
      const apdu = device.answering(() => notification(device, count))
      const bytes = line.notify(logical, client, apdu)
      if (bytes !== undefined) reply(new Uint8Array(0), { address: logical.address, bytes })
    }
    return [setInterval(tell, options.everyMs)]
  })
  socket.on('close', () => {
    for (const timer of timers) clearInterval(timer)
  })
}
