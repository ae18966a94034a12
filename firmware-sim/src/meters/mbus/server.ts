import type { Socket } from 'node:net'
import { mbus } from '@endeks/gateway/codec'
import type { Reply } from '../answer-line.js'
import type { BusServerOptions, StartBus } from '../bus-server.js'
import { listenTcp } from '../tcp-server.js'
import { MbusSlave } from './slave.js'

/** A meter gives up a frame whose rest does not come (EN 13757-2): else noise that looks like one would swallow the next request. */
const restWithinMs = 500

type Slaves = readonly { readonly address: string; readonly slave: MbusSlave }[]

/**
 * A bus with meters behind a transparent converter. Requests that no meter takes for its own get no answer, those that several do
 * get several at once. All connections are one bus: a meter that one of them selected is selected.
 *
 * @throws {AppError} CONFIG_INVALID when M-Bus can't say what one of the meters shows
 */
export const startMbusBus: StartBus = async (options) => {
  const slaves = options.meters.map((meter) => ({ address: meter.address, slave: new MbusSlave(meter) }))
  return listenTcp(options, (socket, reply) => serve(socket, slaves, inTurn(options) ? oneByOne(reply) : reply))
}

function inTurn({ mbus: bus }: BusServerOptions): boolean {
  return bus?.collisions === 'in-turn'
}

/** Meters whose answers happen not to overlap. */
function oneByOne(reply: Reply): Reply {
  return (request, ...answers) => {
    if (answers.length < 2) return reply(request, ...answers)
    for (const answer of answers) reply(request, answer)
  }
}

function serve(socket: Socket, slaves: Slaves, reply: Reply): void {
  let held: Buffer = Buffer.alloc(0)
  let patience: NodeJS.Timeout | undefined
  socket.on('close', () => clearTimeout(patience))
  socket.on('data', (chunk) => {
    clearTimeout(patience)
    held = Buffer.concat([held, chunk])
    while (held.length > 0) {
      const read = mbus.readFrame(held)
      if (!read.ok) {
        if (read.error.code === 'MBUS_TRUNCATED') {
          patience = setTimeout(() => {
            held = Buffer.alloc(0)
          }, restWithinMs)
          return
        }
        // Noise: the next frame may begin at any byte behind it.
        held = held.subarray(1)
        continue
      }
      const request = held.subarray(0, read.value.size)
      held = held.subarray(read.value.size)
      const answers = slaves.flatMap(({ address, slave }) => {
        const bytes = slave.answer(read.value)
        return bytes === undefined ? [] : [{ address, bytes }]
      })
      reply(request, ...answers)
    }
  })
}
