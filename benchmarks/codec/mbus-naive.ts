/** A record as one would write it down who has one frame to read: an object, a text for the unit, a value. */
interface Record {
  readonly storage: number
  readonly tariff: number
  readonly unit: string
  readonly scaler: number
  readonly value: number | readonly number[]
}

/** Reads the same frames record by record, with the tables of these eleven records only. */
export function readAllNaively(frames: readonly Uint8Array[]): (count: number) => bigint {
  return (count) => {
    let sum = 0
    for (let index = 0; index < count; index += 1) {
      for (const { unit, scaler, value } of readRecords(Buffer.from(frames[index % frames.length] ?? []))) {
        sum += unit.length
        if (typeof value === 'number') sum += value + scaler
        else for (const part of value) sum += part
      }
    }
    return BigInt(sum)
  }
}

function readRecords(frame: Buffer): Record[] {
  const length = frame.readUInt8(1)
  if (frame.readUInt8(0) !== 0x68 || frame.readUInt8(2) !== length || frame.length !== length + 6) throw new RangeError('no frame')
  const body = frame.subarray(4, 4 + length)
  let checksum = 0
  for (const byte of body) checksum = (checksum + byte) & 0xff
  if (checksum !== frame.readUInt8(4 + length)) throw new RangeError('checksum')
  const records: Record[] = []
  let at = 15
  while (at < body.length) {
    const head = readHead(body, at)
    const { unit, scaler } = unitOf(head.vif)
    const size = sizeOf(head.dif)
    const data = body.subarray(head.end, head.end + size)
    records.push({ storage: head.storage, tariff: head.tariff, unit, scaler, value: dataOf(head.dif, head.vif, data) })
    at = head.end + size
  }
  return records
}

function readHead(body: Buffer, start: number) {
  const dif = body.readUInt8(start)
  let at = start + 1
  let storage = (dif >> 6) & 1
  let tariff = 0
  for (let byte = dif, shift = 0; (byte & 0x80) !== 0; shift += 1) {
    byte = body.readUInt8(at)
    at += 1
    storage |= (byte & 0x0f) << (1 + 4 * shift)
    tariff |= ((byte >> 4) & 3) << (2 * shift)
  }
  return { dif, storage, tariff, vif: body.readUInt8(at), end: at + 1 }
}

function unitOf(vif: number): { unit: string; scaler: number } {
  if (vif >= 0x00 && vif <= 0x07) return { unit: 'Wh', scaler: vif - 3 }
  if (vif >= 0x10 && vif <= 0x17) return { unit: 'm3', scaler: vif - 0x10 - 6 }
  if (vif >= 0x28 && vif <= 0x2f) return { unit: 'W', scaler: vif - 0x28 - 3 }
  if (vif >= 0x38 && vif <= 0x3f) return { unit: 'm3/h', scaler: vif - 0x38 - 6 }
  if (vif >= 0x58 && vif <= 0x5f) return { unit: '°C', scaler: (vif & 3) - 3 }
  if (vif >= 0x60 && vif <= 0x63) return { unit: 'K', scaler: vif - 0x60 - 3 }
  return { unit: '', scaler: 0 }
}

function sizeOf(dif: number): number {
  const sizes = [0, 1, 2, 3, 4, 4, 6, 8, 0, 1, 2, 3, 4, 0, 6, 0]
  return sizes[dif & 0x0f] ?? 0
}

function dataOf(dif: number, vif: number, data: Buffer): number | readonly number[] {
  if (vif === 0x6d) {
    const [minute = 0, hour = 0, low = 0, high = 0] = data
    const year = 2000 + ((low >> 5) | ((high & 0xf0) >> 1))
    return [year, high & 0x0f, low & 0x1f, hour & 0x1f, minute & 0x3f]
  }
  if ((dif & 0x0f) < 8) return data.readIntLE(0, data.length)
  return Number(Buffer.from(data).reverse().toString('hex'))
}
