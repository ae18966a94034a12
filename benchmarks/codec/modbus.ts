import { epochMs } from '@endeks/domain/time'
import { modbus } from '@endeks/gateway/codec'

const counters = 40
const unit = 17

/** Forty counters of 32 bits in one block of registers. */
const profile = {
  name: 'counters',
  protocol: 'modbus',
  identity: { function: 3, address: 0, count: 2, type: 'u32' },
  registers: Array.from({ length: counters }, (_, index) => ({
    obis: `1-0:${index + 1}.8.0*255`,
    function: 3,
    address: 2 + 2 * index,
    type: 'u32',
    scaler: 0,
    unit: 'Wh'
  }))
}

const range = { function: 3, address: 0, count: 2 + 2 * counters } as const
const words = Array.from({ length: range.count }, (_, index) => (index * 0x3e9) & 0xffff)

export interface Answered {
  readonly request: Uint8Array
  readonly response: Uint8Array
}

export const overTcp: Answered = {
  request: modbus.encodeAdu(7, unit, modbus.encodeReadRequest(range)),
  response: modbus.encodeAdu(7, unit, modbus.encodeReadResponse(3, words))
}
export const overRtu: Answered = {
  request: modbus.encodeRtu(unit, modbus.encodeReadRequest(range)),
  response: modbus.encodeRtu(unit, modbus.encodeReadResponse(3, words))
}

/** Reads every counter of the answer, by its profile, as the gateway does. */
export function readCounters(answered: Answered): (count: number) => bigint {
  return (count) => {
    let sum = 0n
    for (let index = 0; index < count; index += 1) {
      const decoded = modbus.modbusCodec.decodeEvidence({ ...answered, profile, zone: 'UTC', at: epochMs(0) })
      if (!decoded.ok) throw new TypeError(decoded.error.message)
      for (const { raw, unit: name } of decoded.value.readings) sum += raw + BigInt(name.length)
    }
    return sum
  }
}

/** The same counters from their known places, one record each, without a profile or a check. */
export function readCountersNaively(framing: 'tcp' | 'rtu', { response }: Answered): (count: number) => bigint {
  const start = (framing === 'tcp' ? 9 : 3) + 4
  return (count) => {
    let sum = 0n
    for (let index = 0; index < count; index += 1) {
      const bytes = Buffer.from(response)
      const records = Array.from({ length: counters }, (_, counter) => ({
        unit: 'Wh',
        raw: BigInt(bytes.readUInt32BE(start + 4 * counter))
      }))
      for (const { raw, unit: name } of records) sum += raw + BigInt(name.length)
    }
    return sum
  }
}
