import { createCipheriv } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type Socket } from 'node:net'
import * as by from './peer.js'

/**
 * A meter with keys, made by hand from the Green Book: it knows bytes and AES of Node only. What it gets it opens and checks,
 * tag by tag; what a test wants otherwise, it answers otherwise.
 */
export const globalKey = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex')
export const authenticationKey = Buffer.from('d0d1d2d3d4d5d6d7d8d9dadbdcdddedf', 'hex')
export const meterTitle = Buffer.from('4b414d0000bc614e', 'hex')
export const clientTitle = Buffer.from('454e440000000001', 'hex')
const challenge = Buffer.from('50413653000102030405060708090a0b', 'hex')

const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

function gcm(key: Buffer, title: Buffer, counter: number, aad: Buffer, text: Buffer): { text: Buffer; tag: Buffer } {
  const cipher = createCipheriv('aes-128-gcm', key, Buffer.concat([title, u32(counter)]), { authTagLength: 12 })
  cipher.setAAD(aad)
  const out = cipher.update(text)
  cipher.final()
  return { text: out, tag: cipher.getAuthTag() }
}

/** Counter mode is its own inverse: what encrypts also decrypts, and the tag is that of the cipher text. */
function tagOf(key: Buffer, title: Buffer, counter: number, plain: Buffer): Buffer {
  return gcm(key, title, counter, Buffer.concat([Buffer.of(0x30), authenticationKey]), plain).tag
}

/** Authenticated and encrypted, as the body of a glo- or ded- APDU behind its tag: length, control, counter, text, tag. */
export function seal(outer: number, counter: number, plain: Buffer, key: Buffer = globalKey): Buffer {
  const { text, tag } = gcm(key, meterTitle, counter, Buffer.concat([Buffer.of(0x30), authenticationKey]), plain)
  const body = Buffer.concat([Buffer.of(0x30), u32(counter), text, tag])
  const length = body.length < 0x80 ? Buffer.of(body.length) : Buffer.of(0x81, body.length)
  return Buffer.concat([Buffer.of(outer), length, body])
}

export interface Opened {
  readonly outer: number
  readonly counter: number
  readonly plain: Buffer
}

function open(apdu: Buffer, key: Buffer): Opened {
  const body = apdu.subarray((apdu[1] ?? 0) < 0x80 ? 2 : 3)
  if (body[0] !== 0x30) throw new Error(`control ${body[0]} is not authenticated and encrypted`)
  const counter = body.readUInt32BE(1)
  const plain = gcm(key, clientTitle, counter, Buffer.alloc(0), body.subarray(5, body.length - 12)).text
  if (!tagOf(key, clientTitle, counter, plain).equals(body.subarray(body.length - 12))) throw new Error('the tag does not fit')
  return { outer: apdu[0] ?? 0, counter, plain }
}

/** GMAC over a challenge: control 10, counter, tag. */
export function proof(title: Buffer, counter: number, over: Buffer): Buffer {
  const aad = Buffer.concat([Buffer.of(0x10), authenticationKey, over])
  return Buffer.concat([Buffer.of(0x10), u32(counter), gcm(globalKey, title, counter, aad, Buffer.alloc(0)).tag])
}

/** Answers in place of the usual ones, by what was asked: `aarq`, `proof`, `get`, `public-get`. */
export interface Twists {
  readonly counter?: number
  /** counter of the meter's first message */
  readonly own?: number
  readonly aarq?: (usual: Buffer, clientChallenge: Buffer) => Buffer
  readonly proof?: (usual: Buffer) => Buffer
  readonly get?: (usual: Buffer, count: number) => Buffer
}

/** What a connection learns from its AARQ. */
interface State {
  dedicated?: Buffer
  challenge?: Buffer
  count: number
}

export interface SecureMeter {
  readonly port: number
  /** what was opened, in order */
  readonly opened: Opened[]
  /** APDUs as they came, in hex */
  readonly heard: string[]
  readonly faults: string[]
  close(): Promise<void>
}

const field = (tag: number, value: Buffer): Buffer => Buffer.concat([Buffer.of(tag, value.length), value])
const octets = (tag: number, value: Buffer): Buffer => field(tag, field(0x04, value))
/** 2.16.756.5.8.n.m: context names are n = 1, mechanisms n = 2. */
const oid = (last: number, arc: number): Buffer => Buffer.of(0x60, 0x85, 0x74, 0x05, 0x08, arc, last)
/** initiateResponse: version 6, GET, ACTION and blocks of GET, PDU 1024, VAA 7. */
const initiateResponse = Buffer.from('0800065f1f040000101104000007', 'hex')

function aareOf(counter: number): Buffer {
  const fields = [
    field(0xa1, field(0x06, oid(3, 1))),
    Buffer.from('a203020100', 'hex'),
    Buffer.from('a305a10302010e', 'hex'),
    octets(0xa4, meterTitle),
    Buffer.from('88020780', 'hex'),
    field(0x89, oid(5, 2)),
    field(0xaa, field(0x80, challenge)),
    octets(0xbe, seal(0x28, counter, initiateResponse))
  ]
  return field(0x61, Buffer.concat(fields))
}

/** The value of a BER field inside the AARQ, by its tag, and the tag of what is in it. */
function within(apdu: Buffer, tag: number): Buffer {
  for (let at = 2; at < apdu.length; ) {
    const size = apdu[at + 1] ?? 0
    if (apdu[at] === tag) return apdu.subarray(at + 4, at + 2 + size)
    at += 2 + size
  }
  throw new Error(`the AARQ has no field ${tag.toString(16)}`)
}

const plainAnswers = new Map(by.current.slice(1, -1).map(([request, said]) => [request.slice(6), said.slice(6)]))
const counterObject = '000100002b0100ff0200'

export async function startSecureMeter(twists: Twists = {}): Promise<SecureMeter> {
  const meter = { opened: [] as Opened[], heard: [] as string[], faults: [] as string[] }
  const sockets = new Set<Socket>()
  const { counter = 1000, own = 1 } = twists
  let sent = own
  const next = (): number => sent++

  function secured(apdu: Buffer, state: State): Buffer {
    if (apdu[0] === 0x60) {
      const { plain } = note(open(within(apdu, 0xbe), globalKey))
      if (plain[1] === 1) state.dedicated = Buffer.from(plain.subarray(3, 19))
      state.challenge = Buffer.from(within(apdu, 0xac))
      const usual = aareOf(next())
      return twists.aarq?.(usual, state.challenge) ?? usual
    }
    if (apdu[0] === 0x62) {
      note(open(within(apdu, 0xbe), globalKey))
      return Buffer.from(by.rlre, 'hex')
    }
    const isDedicated = (apdu[0] ?? 0) >= 0xd0
    const key = isDedicated ? (state.dedicated ?? Buffer.alloc(16)) : globalKey
    const { plain, outer } = note(open(apdu, key))
    if (plain[0] === 0xc3) {
      const reply = plain.subarray(15)
      if (!proof(clientTitle, reply.readUInt32BE(1), challenge).equals(reply)) throw new Error('the answer to the challenge does not fit')
      const mine = proof(meterTitle, next(), state.challenge ?? Buffer.alloc(0))
      const usual = Buffer.concat([Buffer.of(0xc7, 1, plain[2] ?? 0, 0, 1, 0, 9, mine.length), mine])
      return seal(0xcf, next(), twists.proof?.(usual) ?? usual)
    }
    const answered = Buffer.from(`c401${plain.toString('hex', 2, 3)}${plainAnswers.get(plain.toString('hex', 3))}`, 'hex')
    state.count += 1
    const usual = seal(outer + 4, isDedicated ? state.count : next(), answered, key)
    return twists.get?.(usual, state.count) ?? usual
  }
  function note(opened: Opened): Opened {
    meter.opened.push(opened)
    return opened
  }
  function answerOpenly(apdu: Buffer): Buffer {
    const text = apdu.toString('hex')
    if (text.startsWith('60')) return Buffer.from(by.aare, 'hex')
    if (text.startsWith('62')) return Buffer.from(by.rlre, 'hex')
    if (text.slice(6) !== counterObject) throw new Error(`the public client asked ${text}`)
    return Buffer.concat([Buffer.from(`c401${text.slice(4, 6)}0006`, 'hex'), u32(counter)])
  }

  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => socket.destroy())
    const state: State = { count: 0 }
    socket.on('data', (chunk: Buffer<ArrayBuffer>) => {
      for (let at = 0; at + 8 <= chunk.length; ) {
        const size = chunk.readUInt16BE(at + 6)
        const source = chunk.readUInt16BE(at + 2)
        const apdu = chunk.subarray(at + 8, at + 8 + size)
        at += 8 + size
        meter.heard.push(apdu.toString('hex'))
        try {
          socket.write(by.frame((source === 16 ? answerOpenly(apdu) : secured(apdu, state)).toString('hex'), 1, source))
        } catch (thrown) {
          meter.faults.push(String(thrown))
          socket.destroy()
        }
      }
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('the meter has no port')
  return {
    port: address.port,
    ...meter,
    async close() {
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    }
  }
}
