import { fromIso } from '@endeks/domain/time'
import { modbus } from '../../../src/codec/index.js'
import { valueTypes } from '../../../src/protocols/modbus/codec/types.js'
import type { FuzzedCodec } from '../../fuzz/engine.js'
import type { Random } from '../../fuzz/random.js'

const { encodeAdu, encodeException, encodeReadRequest, encodeReadResponse, modbusCodec } = modbus
const unit = 17
const history = 100
const most = 125

/** Every number format in both word orders, an identity, and stored records with each kind of timestamp. */
const types = Object.keys(valueTypes) as (keyof typeof valueTypes)[]
const profiles = (['epoch-u32', 'date-bcd'] as const).map((timestamp) => ({
  name: 'every-format',
  protocol: 'modbus',
  identity: { function: 3, address: 0, count: 4, type: 'ascii' },
  registers: types.flatMap((type, index) =>
    (['big', 'little'] as const).map((wordOrder, order) => ({
      obis: `8-0:${index + 1}.${order}.0*255`,
      function: 3,
      address: 4 + 8 * index + 4 * order,
      type,
      wordOrder,
      scaler: 0,
      unit: 'L',
      invalid: '0xFFFF'
    }))
  ),
  history: {
    function: 4,
    address: history,
    entries: 4,
    stride: 4,
    timestamp: { offset: 0, type: timestamp },
    values: [{ obis: '8-0:1.0.0*255', offset: 2, type: 'u32', scaler: 0, unit: 'L' }]
  }
}))

const ranges = [
  { function: 3, address: 0, count: 4 + 8 * types.length },
  { function: 4, address: history, count: 16 }
] as const
const stored = [0x2026, 0x0228, 0, 1, 0x6553, 0x2210, 0, 2, 0, 0, 0, 0, 0xffff, 0xffff, 0, 0]
const words = Array.from({ length: ranges[0].count }, (_, index) => (index < 4 ? 0x4142 : (index * 0x111) & 0x999))
const requests = ranges.map((range, index) => encodeAdu(index, unit, encodeReadRequest(range)))
const answers = [encodeAdu(0, unit, encodeReadResponse(3, words)), encodeAdu(1, unit, encodeReadResponse(4, stored))]
const corpus = [
  ...requests,
  ...answers,
  encodeAdu(2, unit, encodeException(3, 2)),
  encodeAdu(
    3,
    unit,
    encodeReadResponse(
      4,
      Array.from({ length: most }, (_, index) => index)
    )
  )
]

/** Protocol identifier and length, and in most cases the byte count of an answer, so that the mutation reaches the registers. */
function mended(bytes: Uint8Array, pick: Random): Uint8Array {
  const size = 9 + 2 * Math.min(most, Math.floor(Math.max(0, bytes.length - 9) / 2))
  // Of an answer's size, or of a request's.
  const frame = Uint8Array.from(bytes.subarray(0, bytes.length === 12 || pick(4) === 0 ? bytes.length : size))
  const length = frame.length - 6
  if (length < 2) return frame
  frame.set([0, 0, length >> 8, length & 0xff], 2)
  if (length !== 6 && frame.length > 8 && pick(8) > 0) frame[8] = length - 3
  return frame
}

/** A conversation in which one answer is bent; in most cases its transaction, unit and size are those that were asked. */
function conversation(bytes: Uint8Array, pick: Random): Uint8Array {
  const place = pick(answers.length)
  const usual = answers[place] ?? bytes
  const resized = Uint8Array.from(usual, (byte, index) => bytes[index] ?? byte)
  const bent = mended(pick(4) > 0 ? resized : bytes, pick)
  if (bent.length >= 8) bent.set([0, place], 0)
  if (bent.length >= 8 && pick(8) > 0) bent.set(usual.subarray(6, 8), 6)
  return Uint8Array.from(Buffer.concat(answers.map((answer, index) => (index === place ? bent : answer))))
}

const evidence = { request: Buffer.concat(requests), response: Buffer.concat(answers), at: fromIso('2026-03-05T09:00:00Z'), zone: 'UTC' }

export const fuzzedModbus: FuzzedCodec = {
  name: 'modbus',
  prefix: 'MODBUS_',
  targets: [
    { name: 'modbus frame', corpus, mend: mended, decode: (bytes) => [modbusCodec.describeFrame(bytes)] },
    ...profiles.map((profile) => ({
      name: `modbus evidence, ${profile.history.timestamp.type}`,
      corpus: answers,
      mend: conversation,
      decode: (bytes: Uint8Array) => [modbusCodec.decodeEvidence({ ...evidence, profile, response: bytes })]
    })),
    {
      name: 'modbus evidence, requests',
      corpus: [evidence.request],
      besideBytes: evidence.response.length,
      decode: (bytes) => [modbusCodec.decodeEvidence({ ...evidence, profile: profiles[0], request: bytes })]
    }
  ]
}
