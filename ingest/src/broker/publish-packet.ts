export interface Publish {
  readonly topic: string
  /** 1 to 65,535 */
  readonly messageId: number
  readonly payload: Buffer
}

const publishQos1 = 0x32

/** A PUBLISH with QoS 1 as bytes (MQTT 3.1.1, 3.3). */
export function encodePublish({ topic, messageId, payload }: Publish): Buffer {
  const name = Buffer.from(topic)
  const head = [publishQos1, ...remainingLength(2 + name.length + 2 + payload.length)]
  return Buffer.concat([Buffer.from(head), u16(name.length), name, u16(messageId), payload])
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
