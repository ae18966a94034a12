import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { keepaliveS, password } from '../support/gateway-connection.js'
import { gatewayName, type Load, messagesPerGateway } from '../support/load.js'
import { Messages } from '../support/messages.js'
import { connectPacket, pingPacket } from '../support/mqtt-packets.js'
import type { HostileRequest, Misdeeds, Misdoer } from './hostile.js'

/** Three gateways as bad as their names, in a process of their own, until the parent says that it is enough. */

let misdeeds: Misdeeds = { floodMessages: 0, floodConnects: 0, garbageConnects: 0, stalledBytes: 0, stalledConnects: 0 }
let stopping = new AbortController()
let working: Promise<unknown> = Promise.resolve()

const count = (name: keyof Misdeeds, by = 1): void => {
  misdeeds = { ...misdeeds, [name]: misdeeds[name] + by }
}

async function login(port: number, gateway: number): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  socket.on('error', () => undefined)
  const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(10_000)])
  await once(socket, 'connect', { signal })
  socket.write(connectPacket({ clientId: gatewayName(gateway), password, keepaliveS }))
  await once(socket, 'data', { signal })
  return socket
}

const pauseMs = 100

/** Does it again and again; whoever is cut off or refused comes back at once. */
async function persist(work: () => Promise<void>): Promise<void> {
  while (!stopping.signal.aborted) {
    await work().catch(() => undefined)
    await sleep(pauseMs, undefined, { signal: stopping.signal }).catch(() => undefined)
  }
}

/** Valid messages at a pace, whether or not they are acknowledged. */
async function flood(port: number, load: Load, messagesPerSecond: number): Promise<void> {
  const gateway = load.gateways
  const messages = new Messages(load)
  messages.prepare(gateway)
  let index = 0
  await persist(async () => {
    const socket = await login(port, gateway)
    count('floodConnects')
    socket.resume()
    const started = performance.now()
    let sent = 0
    while (!socket.destroyed && !stopping.signal.aborted) {
      const due = Math.floor(((performance.now() - started) * messagesPerSecond) / 1_000)
      let room = true
      for (; sent < due && room; sent += 1) {
        room = socket.write(messages.publish(gateway, index, (index % 65_535) + 1))
        index = (index + 1) % messagesPerGateway(load)
        count('floodMessages')
      }
      if (room) await sleep(1)
      else await Promise.race([once(socket, 'drain'), once(socket, 'close')])
    }
    socket.destroy()
  })
}

const garbageBytes = 4_096

/** Noise, before the CONNECT and behind it in turns. */
async function garbage(port: number, gateway: number): Promise<void> {
  let turn = 0
  await persist(async () => {
    turn += 1
    const socket = turn % 2 === 0 ? await login(port, gateway) : connect({ port, host: '127.0.0.1' })
    socket.on('error', () => undefined)
    socket.resume()
    count('garbageConnects')
    socket.write(randomBytes(garbageBytes))
    await Promise.race([once(socket, 'close'), sleep(1_000, undefined, { signal: stopping.signal })])
    socket.destroy()
  })
}

const stalledWindow = 20
/** So many answers of two bytes a look that what it does not read fills every buffer on the way within a minute. */
const pings = Buffer.concat(Array.from({ length: 1_000 }, () => pingPacket))

/** Sends messages and pings without end and never reads a byte of what it is answered. */
async function stall(port: number, load: Load): Promise<void> {
  const gateway = load.gateways + 2
  const messages = new Messages(load)
  await persist(async () => {
    const socket = await login(port, gateway)
    socket.pause()
    count('stalledConnects')
    for (let index = 0; !socket.destroyed && !stopping.signal.aborted; index += 1) {
      const packet = messages.publish(gateway, index % messagesPerGateway(load), (index % stalledWindow) + 1)
      count('stalledBytes', packet.length + pings.length)
      socket.write(packet)
      if (!socket.write(pings)) await Promise.race([once(socket, 'drain'), once(socket, 'close'), once(stopping.signal, 'abort')])
      await sleep(10)
    }
    socket.destroy()
  })
}

async function handle(request: HostileRequest): Promise<object> {
  if (request.kind === 'stop') {
    stopping.abort()
    await working
    return misdeeds
  }
  const { port, load, bad, floodMessagesPerSecond } = request
  const work: Record<Misdoer, () => Promise<void>> = {
    flood: () => flood(port, load, floodMessagesPerSecond),
    garbage: () => garbage(port, load.gateways + 1),
    stall: () => stall(port, load)
  }
  stopping = new AbortController()
  working = Promise.all(bad.map((each) => work[each]()))
  return {}
}

process.on('message', (request: HostileRequest) => {
  handle(request).then((answer) => process.send?.(answer))
})
process.on('disconnect', () => process.exit(0))
process.send?.({ ready: true })
