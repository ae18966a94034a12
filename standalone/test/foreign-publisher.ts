import { once } from 'node:events'
import { connect } from 'node:net'
import { FrameCutter } from './chaos/mqtt-frames.js'

/** What another maker's gateway is to the broker. Written from the standards, apart from the product's own clients. */
export interface Publisher {
  /** Resolves when it is acknowledged. */
  publish(topic: string, payload: Buffer | string): Promise<void>
  close(): void
}

const connack = 2
const puback = 4

/** Signs in with MQTT 3.1.1 and publishes with QoS 1, one message at a time. */
export async function connectPublisher(port: number, id: string, password: string): Promise<Publisher> {
  const socket = connect(port, '127.0.0.1')
  const cutter = new FrameCutter()
  const heard: number[] = []
  socket.on('data', (chunk: Buffer) => {
    for (const { type } of cutter.take(chunk)) heard.push(type)
    socket.emit('heard')
  })
  const hear = async (type: number): Promise<void> => {
    while (!heard.includes(type)) await once(socket, 'heard', { signal: AbortSignal.timeout(20_000) })
    heard.splice(heard.indexOf(type), 1)
  }
  const head = Buffer.from([0, 4, ...Buffer.from('MQTT'), 4, 0xc2, 0, 60])
  socket.write(frame(0x10, Buffer.concat([head, text(id), text(id), text(password)])))
  await hear(connack)
  let packet = 0
  return {
    publish: async (topic, payload) => {
      packet += 1
      socket.write(frame(0x32, Buffer.concat([text(topic), Buffer.from([packet >> 8, packet & 0xff]), Buffer.from(payload)])))
      await hear(puback)
    },
    close: () => socket.destroy()
  }
}

export interface PublishedMetric {
  readonly name?: string
  readonly alias: number
  readonly value: number
}

/** A Sparkplug B payload of doubles: timestamp, metrics (name, alias, datatype 10, double_value), seq. */
export function sparkplugDoubles(at: number, seq: number, metrics: readonly PublishedMetric[]): Buffer {
  const fields = metrics.map(({ name, alias, value }) => {
    const double = Buffer.alloc(9)
    double[0] = (13 << 3) | 1
    double.writeDoubleLE(value, 1)
    const named = name === undefined ? [] : [...lengthy(1, Buffer.from(name)), ...number(2, alias), ...number(4, 10)]
    return lengthy(2, Buffer.from([...(name === undefined ? number(2, alias) : named), ...double]))
  })
  return Buffer.from([...number(1, at), ...fields.flat(), ...number(3, seq)])
}

function number(field: number, value: number): number[] {
  return [field << 3, ...varint(value)]
}

function lengthy(field: number, bytes: Buffer): number[] {
  return [(field << 3) | 2, ...varint(bytes.length), ...bytes]
}

/** Seven bits a byte, the least first; MQTT writes its lengths and Protocol Buffers its numbers so. */
function varint(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  for (; rest > 127; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 0x80)
  return [...bytes, rest]
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'utf8')
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes])
}

function frame(first: number, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from([first, ...varint(body.length)]), body])
}
