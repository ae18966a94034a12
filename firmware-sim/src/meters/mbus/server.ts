import type { Socket } from 'node:net'
import { AppError } from '@endeks/domain/errors'
import { mbus } from '@endeks/gateway/codec'
import type { Reply } from '../answer-line.js'
import type { StartBus } from '../bus-server.js'
import { listenTcp } from '../tcp-server.js'
import { MbusSlave } from './slave.js'

/**
 * A bus with meters behind a transparent converter. Requests to an address without a meter get no answer.
 *
 * @throws {AppError} CONFIG_INVALID when two meters have one address or M-Bus can't say what one shows
 */
export const startMbusBus: StartBus = async (options) => {
  const slaves = new Map(options.meters.map((meter) => new MbusSlave(meter)).map((slave) => [slave.address, slave]))
  if (slaves.size < options.meters.length) throw new AppError('CONFIG_INVALID', 'two meters of a bus have the same address')
  return listenTcp(options, (socket, reply) => serve(socket, slaves, reply))
}

function serve(socket: Socket, slaves: ReadonlyMap<number, MbusSlave>, reply: Reply): void {
  let held: Buffer = Buffer.alloc(0)
  socket.on('data', (chunk) => {
    held = Buffer.concat([held, chunk])
    while (held.length > 0) {
      const frame = mbus.readFrame(held)
      if (!frame.ok) {
        if (frame.error.code === 'MBUS_TRUNCATED') return
        // Noise: the next frame may begin at any byte behind it.
        held = held.subarray(1)
        continue
      }
      const request = held.subarray(0, frame.value.size)
      held = held.subarray(frame.value.size)
      const bytes = frame.value.type === 'short' ? slaves.get(frame.value.address)?.answer(frame.value) : undefined
      reply(request, ...(bytes === undefined ? [] : [{ address: `${request[2]}`, bytes }]))
    }
  })
}
