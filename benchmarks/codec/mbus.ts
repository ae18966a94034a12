import { mbus } from '@endeks/gateway/codec'

/** Reads every record's value and unit; returns a sum that depends on each. */
export function readAll(frames: readonly Uint8Array[]): (count: number) => bigint {
  return (count) => {
    let sum = 0
    for (let index = 0; index < count; index += 1) sum += readFrame(frames[index % frames.length] ?? new Uint8Array(0))
    return BigInt(sum)
  }
}

function readFrame(bytes: Uint8Array): number {
  const frame = mbus.readFrame(bytes)
  if (!frame.ok || frame.value.type !== 'long') throw new TypeError('a frame of the benchmark is none')
  const response = mbus.readResponse(frame.value)
  if (!response.ok) throw new TypeError(response.error.message)
  let sum = 0
  for (const record of response.value.records) {
    const { value } = record
    sum += record.unit.length
    if (value.kind === 'decimal') sum += Number(value.raw) + value.scaler
    else if (value.kind === 'date' && value.date.kind === 'date-time') {
      const { year, month, day, hour, minute } = value.date
      sum += year + month + day + hour + minute
    }
  }
  return sum
}
