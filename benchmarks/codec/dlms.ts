import { dlms } from '@endeks/gateway/codec'
import { request, zone } from './dlms-blocks.js'

type Answers = Iterable<Uint8Array>

/** Decodes the answer on a connection so often, and reads every value and time. */
export function readWrapped(stream: Uint8Array): (count: number) => bigint {
  return repeated(() => apdusOfWrapper(stream))
}

/** The same from a line: frames, check sequences, segments. */
export function readFramed(stream: Uint8Array): (count: number) => bigint {
  return repeated(() => apdusOfFrames(stream))
}

function repeated(apdus: () => Answers): (count: number) => bigint {
  return (count) => {
    let sum = 0n
    for (let index = 0; index < count; index += 1) sum += BigInt(sumOf(answerIn(apdus())))
    return sum
  }
}

function* apdusOfWrapper(stream: Uint8Array): Generator<Uint8Array> {
  for (const { apdu } of new dlms.WrapperAssembler().push(stream)) yield apdu
}

function* apdusOfFrames(stream: Uint8Array): Generator<Uint8Array> {
  const segments = new dlms.SegmentAssembler()
  for (const event of new dlms.HdlcReader().push(stream)) {
    if (!('frame' in event)) throw new TypeError(event.failure.message)
    const whole = segments.add(event.frame)
    if (whole !== undefined) yield whole.apdu
  }
}

function answerIn(apdus: Answers): dlms.DlmsData {
  const get = new dlms.OpenGet(request)
  for (const bytes of apdus) {
    const apdu = dlms.decodeApdu(bytes)
    if (!apdu.ok) throw new TypeError(apdu.error.message)
    const [result] = get.accept(apdu.value) ?? []
    if (result !== undefined && 'data' in result) return result.data
  }
  throw new TypeError('the answer has no last block')
}

function sumOf(value: dlms.DlmsData): number {
  if (value.type !== 'array' && value.type !== 'compact-array') throw new TypeError('the answer is no load profile')
  let sum = 0
  for (const row of value.value) if (row.type === 'structure') for (const cell of row.value) sum += numberOf(cell)
  return sum
}

function numberOf(cell: dlms.DlmsData): number {
  if (cell.type === 'double-long-unsigned') return cell.value
  const clock = dlms.dateTimeOf(cell)
  return (clock === undefined ? undefined : dlms.toInstant(clock, zone)) ?? 0
}
