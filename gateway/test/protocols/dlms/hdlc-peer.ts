import { once } from 'node:events'
import { createServer } from 'node:net'
import type { Duplex } from 'node:stream'

/**
 * A secondary station made by hand from IEC 62056-46: it knows bytes only, and has a check sequence of its own, bit by bit. A
 * script says for each frame that it gets, by control byte and information in hex, which frames it answers with.
 */

/** FCS-16 of RFC 1662, one bit at a time. */
function checkOf(bytes: Uint8Array): string {
  let fcs = 0xffff
  for (const byte of bytes) {
    fcs ^= byte
    for (let bit = 0; bit < 8; bit += 1) fcs = fcs & 1 ? (fcs >> 1) ^ 0x8408 : fcs >> 1
  }
  const value = ~fcs & 0xffff
  return Buffer.of(value & 0xff, value >> 8).toString('hex')
}

/** A frame from its parts in hex. @param segmented the format's bit that more follows */
export function hdlc(destination: string, source: string, control: string, information = '', segmented = false): Buffer {
  const sizes = [destination, source, control, information].map((part) => part.length / 2)
  const size = 2 + sizes.reduce((sum, each) => sum + each, 0) + (information === '' ? 2 : 4)
  const format = Buffer.of((segmented ? 0xa8 : 0xa0) | (size >> 8), size & 0xff).toString('hex')
  const header = `${format}${destination}${source}${control}`
  const body = information === '' ? header : `${header}${checkOf(Buffer.from(header, 'hex'))}${information}`
  return Buffer.from(`7e${body}${checkOf(Buffer.from(body, 'hex'))}7e`, 'hex')
}

/** Client 16 and the server at logical device 1, physical device 17, in two bytes. */
export const client = '21'
export const server = '0223'
export const from = (control: string, information = '', segmented = false): Buffer => hdlc(client, server, control, information, segmented)
export const to = (control: string, information = '', segmented = false): Buffer => hdlc(server, client, control, information, segmented)

/** What a frame was: "93 8180…" for SNRM with parameters. */
function named(frame: Buffer, addresses: number): string {
  const at = 3 + addresses
  const information = frame.length > at + 4 ? frame.toString('hex', at + 3, frame.length - 3) : ''
  return `${frame.toString('hex', at, at + 1)} ${information}`.trim()
}

/** Each answer of a request in turn, the last one again and again. */
export type Script = Readonly<Record<string, readonly (readonly Buffer[])[]>>

export interface Station {
  /** names of the frames that came, in order */
  readonly heard: string[]
}

/** Lets a station answer on a stream. Frames that its script does not name get silence. */
export function answer(stream: Duplex, script: Script, addresses = 3): Station {
  const heard: string[] = []
  const times = new Map<string, number>()
  let held = Buffer.alloc(0)
  stream.on('error', () => stream.destroy())
  stream.on('data', (chunk: Buffer) => {
    held = Buffer.concat([held, chunk])
    for (;;) {
      const start = held.indexOf(0x7e)
      if (start === -1 || held.length < start + 3) return
      const size = (((held[start + 1] ?? 0) & 7) << 8) + (held[start + 2] ?? 0) + 2
      if (held.length < start + size) return
      const name = named(held.subarray(start, start + size), addresses)
      held = held.subarray(start + size)
      heard.push(name)
      const answers = script[name] ?? []
      const time = times.get(name) ?? 0
      times.set(name, time + 1)
      const frames = answers[Math.min(time, answers.length - 1)] ?? []
      if (frames.length > 0) stream.write(Buffer.concat(frames))
    }
  })
  return { heard }
}

/** The station behind a TCP converter. */
export async function listen(script: Script, addresses = 3): Promise<{ port: number; heard: string[]; close: () => Promise<void> }> {
  const heard: string[] = []
  const sockets = new Set<Duplex>()
  const listening = createServer((socket) => {
    sockets.add(socket)
    const station = answer(socket, script, addresses)
    socket.on('close', () => sockets.delete(socket))
    socket.on('data', () => heard.splice(0, heard.length, ...station.heard))
  })
  listening.listen(0, '127.0.0.1')
  await once(listening, 'listening')
  const address = listening.address()
  if (typeof address !== 'object' || address === null) throw new Error('the station has no port')
  return {
    port: address.port,
    heard,
    async close() {
      const closed = once(listening, 'close')
      listening.close()
      for (const socket of sockets) socket.destroy()
      await closed
    }
  }
}
