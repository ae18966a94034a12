import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import type { Test } from 'tap'

/** Frames by the letter of EN 13757-2, without the codec that they are to prove. */
export function longFrame(control: number, address: number, ci: number, data: string): Buffer {
  const body = Buffer.concat([Buffer.of(control, address, ci), Buffer.from(data.replaceAll(' ', ''), 'hex')])
  const checksum = body.reduce((sum, byte) => (sum + byte) & 0xff, 0)
  return Buffer.concat([Buffer.of(0x68, body.length, body.length, 0x68), body, Buffer.of(checksum, 0x16)])
}

export interface PeerMeter {
  /** primary address in the answers */
  readonly address: number
  /** eight digits */
  readonly id: string
  /** maker, version and medium as they go over the line */
  readonly rest?: string
  /** records in hex; each answer has the next ones, and begins anew after a reset */
  readonly telegrams?: readonly string[]
}

export const acknowledge = Buffer.of(0xe5)
/** KAM, version 27, cold water. */
const usualRest = '2D2C1B16'

/** The meter's answer to a request for data. */
export function telegramOf(meter: PeerMeter, telegram: number): Buffer {
  const records = meter.telegrams?.[telegram] ?? '0C1342000000'
  const id = Buffer.from(meter.id, 'hex').reverse().toString('hex')
  return longFrame(
    0x08,
    meter.address,
    0x72,
    `${id}${meter.rest ?? usualRest}${(telegram + 1).toString(16).padStart(2, '0')}000000${records}`
  )
}

interface State extends PeerMeter {
  selected: boolean
  frameCountBit: number | undefined
  telegram: number
}

/** Meters on one bus: what a request makes them say together. Two that speak at once give bits that nobody sent. */
export class PeerBus {
  readonly #meters: readonly State[]

  constructor(meters: readonly PeerMeter[]) {
    this.#meters = meters.map((meter) => ({ ...meter, selected: false, frameCountBit: undefined, telegram: -1 }))
  }

  answer(request: string): Buffer | undefined {
    const bytes = Buffer.from(request, 'hex')
    const answers = this.#meters.flatMap((meter) => this.#answerOf(meter, bytes) ?? [])
    const [first, ...others] = answers
    if (first === undefined || others.every((other) => other.equals(first))) return first
    return Buffer.from(first.map((byte, index) => others.reduce((sum, other) => sum & (other[index] ?? 0xff), byte)))
  }

  #answerOf(meter: State, bytes: Buffer): Buffer | undefined {
    const [start, control = 0, address] = bytes[0] === 0x68 ? bytes.subarray(3) : bytes
    if (start === 0x68 && bytes[6] === 0x52) {
      meter.selected = address === 0xfd && this.#isMeant(meter, bytes.subarray(7, 15))
      meter.frameCountBit = undefined
      return meter.selected ? acknowledge : undefined
    }
    if (address !== meter.address && address !== 0xfe && !(address === 0xfd && meter.selected)) return undefined
    if (start === 0x68 || control === 0x40) {
      if (address === 0xfd && control === 0x40) meter.selected = false
      if (start !== 0x68) meter.frameCountBit = undefined
      meter.telegram = -1
      return acknowledge
    }
    if (meter.frameCountBit !== (control & 0x20)) meter.telegram = (meter.telegram + 1) % (meter.telegrams?.length ?? 1)
    meter.frameCountBit = control & 0x20
    return telegramOf(meter, meter.telegram)
  }

  #isMeant(meter: PeerMeter, selection: Buffer): boolean {
    const digits = selection.subarray(0, 4).toReversed()
    const id = Buffer.from(digits).toString('hex')
    const own = Buffer.from(meter.rest ?? usualRest, 'hex')
    const maker = selection.subarray(4, 6)
    return (
      Array.from(id).every((digit, index) => digit === 'f' || digit === meter.id[index]?.toLowerCase()) &&
      (maker.equals(Buffer.of(0xff, 0xff)) || maker.equals(own.subarray(0, 2))) &&
      [2, 3].every((index) => selection[4 + index] === 0xff || selection[4 + index] === own[index])
    )
  }
}

export interface Peer {
  readonly port: number
  /** requests in hex, in their order */
  readonly requests: string[]
  connections: number
}

export type Script = (request: string, socket: Socket, count: number) => Uint8Array | undefined

/** The other end of the line: answers each request as the script has it. */
export async function peer(test: Test, script: Script): Promise<Peer> {
  const state: { port: number; requests: string[]; connections: number } = { port: 0, requests: [], connections: 0 }
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    state.connections += 1
    sockets.add(socket)
    socket.on('error', () => {})
    let held = ''
    socket.on('data', (chunk) => {
      held += chunk.toString('hex')
      for (;;) {
        const size = held.startsWith('68') ? 2 * (Number.parseInt(held.slice(2, 4), 16) + 6) : 10
        if (held.length === 0 || held.length < size) return
        const request = held.slice(0, size)
        held = held.slice(size)
        state.requests.push(request)
        const answer = script(request, socket, state.requests.length)
        if (answer !== undefined) socket.write(answer)
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  state.port = typeof address === 'object' && address !== null ? address.port : 0
  test.teardown(() => {
    for (const socket of sockets) socket.destroy()
    server.close()
  })
  return state
}
