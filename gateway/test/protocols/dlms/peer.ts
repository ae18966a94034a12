import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import { type EpochMs, epochMs } from '@endeks/domain/time'

/**
 * A peer made by hand from the standard: it knows no codec of this project, only bytes. For each request that it gets word by
 * word it sends the bytes written beside it; an unknown request gets silence.
 */
export interface Peer {
  readonly port: number
  readonly connections: () => number
  readonly open: () => number
  close(): Promise<void>
}

export type Script = ReadonlyMap<string, (socket: Socket) => void>

export const frame = (apdu: string, source = 1, destination = 16): Buffer => {
  const header = Buffer.alloc(8)
  header.writeUInt16BE(1, 0)
  header.writeUInt16BE(source, 2)
  header.writeUInt16BE(destination, 4)
  header.writeUInt16BE(apdu.length / 2, 6)
  return Buffer.concat([header, Buffer.from(apdu, 'hex')])
}

/** Answers as a meter at wPort 1 does. */
export const says =
  (...apdus: readonly string[]) =>
  (socket: Socket): void => {
    socket.write(Buffer.concat(apdus.map((apdu) => frame(apdu))))
  }

export async function startPeer(script: Script): Promise<Peer> {
  let connections = 0
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    connections += 1
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('error', () => socket.destroy())
    let held = Buffer.alloc(0)
    socket.on('data', (chunk) => {
      held = Buffer.concat([held, chunk])
      while (held.length >= 8 && held.length >= 8 + held.readUInt16BE(6)) {
        const size = 8 + held.readUInt16BE(6)
        script.get(held.toString('hex', 8, size))?.(socket)
        held = held.subarray(size)
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('the peer has no port')
  return {
    port: address.port,
    connections: () => connections,
    open: () => sockets.size,
    async close() {
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    }
  }
}

/** 24 November 2026, 10:20:30 UTC. */
export const now: EpochMs = epochMs(Date.UTC(2026, 10, 24, 10, 20, 30))

export const profile = {
  name: 'by-hand',
  protocol: 'dlms',
  identity: { obis: '0-0:96.1.0*255', class: 1, attribute: 2 },
  registers: [{ obis: '8-0:1.0.0*255', class: 3 }],
  profileBuffer: { obis: '1-0:99.2.0*255', captures: ['clock', '8-0:1.0.0*255'] }
}

/** AARQ: LN context, initiateRequest version 6, conformance block-transfer, lists, get, selective-access, PDU 0xFFFF. */
export const aarq = '601da109060760857405080101be10040e01000000065f1f0400001214ffff'
export const aare = '6129a109060760857405080101a203020100a305a103020100be10040e0800065f1f040000101402000007'
export const getSerial = 'c001c100010000600100ff0200'
export const getScale = 'c001c200030800010000ff0300'
export const getValue = 'c001c300030800010000ff0200'
export const rlrq = '6203800100'
export const rlre = '6303800100'
/** "12345678", scaler -3 and cubic metres, 74565 */
export const serial = 'c401c10009083132333435363738'
export const scale = 'c401c20002020ffd160d'
export const value = 'c401c3000600012345'

/** The whole conversation of a current read. */
export const current: readonly (readonly [string, string])[] = [
  [aarq, aare],
  [getSerial, serial],
  [getScale, scale],
  [getValue, value],
  [rlrq, rlre]
]

const hex = (...parts: readonly string[]) => parts.join('').replaceAll(' ', '')
/** Clocks in Istanbul (deviation -180 minutes, FF4C): 22 November 00:00, and now. */
const since = '090c 07ea0b16ff 00000000 ff4c 00'
const until = '090c 07ea0b18ff 0d141e00 ff4c 00'
const restricting = '0204 120008 0906 0000010000ff 0f02 120000'

/** The columns that the load profile captures: clock and counter. */
export const getCaptures = hex('c001c4 0007 0100630200ff 03 00')
export const captures = hex('c401c400 0102', ...['0204 120008 0906 0000010000ff 0f02 120000', '0204 120003 0906 0800010000ff 0f02 120000'])
/** The load profile from 22 November to now, all columns, and the request for its second block. */
export const getBuffer = hex('c001c5 0007 0100630200ff 02 01 01 0204', restricting, since, until, '0100')
export const getNext = 'c002c500000001'
export const sinceInstant: EpochMs = epochMs(Date.UTC(2026, 10, 21, 21))

/** Rows: 65537 on the 22nd; 65793 on the 23rd; 31 February; the 24th without deviation and doubtful; the 24th without a value. */
const buffer = hex(
  '0105',
  ...['0202 090c 07ea0b16ff 00000000 ff4c 00', '06 00010001'],
  ...['0202 090c 07ea0b17ff 00000000 ff4c 00', '06 00010101'],
  ...['0202 090c 07ea021fff 00000000 8000 00', '06 00010201'],
  ...['0202 090c 07ea0b18ff 00000000 8000 02', '06 00010301'],
  ...['0202 090c 07ea0b18ff 01000000 8000 00', '00']
)
const byte = (size: number) => size.toString(16).padStart(2, '0')
/** The first block ends after 21 bytes: inside the first row's counter. */
const cut = 21
export const firstBlock = hex('c402c5 00 00000001 00', byte(cut), buffer.slice(0, 2 * cut))
export const lastBlock = hex('c402c5 01 00000002 00', byte(buffer.length / 2 - cut), buffer.slice(2 * cut))

/** The whole conversation of a history read. */
export const history: readonly (readonly [string, string])[] = [
  ...current.slice(0, -1),
  [getCaptures, captures],
  [getBuffer, firstBlock],
  [getNext, lastBlock],
  [rlrq, rlre]
]
