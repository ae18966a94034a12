export interface Publish {
  readonly topic: string
  /** 1 to 65,535; undefined for a PUBLISH that is not acknowledged */
  readonly messageId?: number
  readonly payload: Buffer
}

const publishQos0 = 0x30
const publishQos1 = 0x32

/** A PUBLISH as bytes (MQTT 3.1.1, 3.3): with QoS 1 where it has a number, else with QoS 0. */
export function encodePublish({ topic, messageId, payload }: Publish): Buffer {
  const name = Buffer.from(topic)
  const id = messageId === undefined ? Buffer.alloc(0) : u16(messageId)
  const head = [messageId === undefined ? publishQos0 : publishQos1, ...remainingLength(2 + name.length + id.length + payload.length)]
  return Buffer.concat([Buffer.from(head), u16(name.length), name, id, payload])
}

function u16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 0xff])
}

/** Seven bits a byte, the lowest first (MQTT 3.1.1, 2.2.3). */
function remainingLength(length: number): number[] {
  const bytes: number[] = []
  let rest = length
  do {
    const low = rest % 128
    rest = Math.floor(rest / 128)
    bytes.push(rest > 0 ? low | 0x80 : low)
  } while (rest > 0)
  return bytes
}
