import { epochMs } from '@endeks/domain/time'
import { modbus } from '../../../src/codec/index.js'
import { timestampTypes, valueTypes } from '../../../src/protocols/modbus/codec/types.js'
import type { FuzzedCodec, FuzzTarget } from '../../fuzz/engine.js'
import type { Random } from '../../fuzz/random.js'

const { encodeAdu, encodeBitsResponse, encodeException, encodeReadRequest, encodeReadResponse, encodeRtu, modbusCodec } = modbus
const unit = 17
const stride = 8
const orders = ['big', 'little'] as const
const types = Object.keys(valueTypes) as modbus.ValueType[]
const timestamps = Object.keys(timestampTypes) as (keyof typeof timestampTypes)[]

/** How a PDU is sent, and what of a frame is its PDU. */
interface Framing {
  readonly name: 'tcp' | 'rtu'
  readonly wrap: (index: number, unit: number, pdu: Uint8Array) => Uint8Array
  readonly unwrap: (frame: Uint8Array) => Uint8Array
}

const framings: readonly Framing[] = [
  { name: 'tcp', wrap: encodeAdu, unwrap: (frame) => frame.subarray(7) },
  { name: 'rtu', wrap: (_, asked, pdu) => encodeRtu(asked, pdu), unwrap: (frame) => frame.subarray(1, -2) }
]

/** Every number format in both orders, and stored records with one kind of timestamp. */
function profileOf(timestamp: keyof typeof timestampTypes) {
  return {
    name: 'every-format',
    protocol: 'modbus',
    identity: { function: 3, address: 0, count: 4, type: 'ascii' },
    registers: types.flatMap((type, index) =>
      orders.map((order, place) => ({
        obis: `8-0:${index + 1}.${place}.0*255`,
        function: 3,
        address: 4 + 8 * index + 4 * place,
        type,
        wordOrder: order,
        byteOrder: order,
        scaler: -place,
        unit: 'L',
        invalid: ['0xFFFF', '0xFFFFFFFF']
      }))
    ),
    status: [{ function: 1, address: 3, means: 'batteryLow' }],
    history: {
      function: 4,
      address: 0,
      entries: 4,
      stride,
      timestamp: { offset: 0, type: timestamp },
      values: [{ obis: '8-0:1.0.0*255', offset: 6, type: 'u32', scaler: 0, unit: 'L' }]
    }
  }
}

/** Stored records whose dates are good ones of their kind; the second was never filled. */
const stamps: Readonly<Record<keyof typeof timestampTypes, readonly number[]>> = {
  'epoch-u32': [0x6553, 0x2210],
  'date-bcd': [0x2026, 0x0228],
  'datetime-bcd': [0x2026, 0x0228, 0x2359, 0x0059],
  fields: [2026, 2, 28, 23, 59, 59],
  iec870: [26, 0x021c, 0x173b, 59_000]
}
const record = (words: readonly number[], value: number): number[] => [...words, ...Array(6 - words.length).fill(0), 0, value]

const asked = [
  { function: 3, address: 0, count: 4 + 8 * types.length },
  { function: 4, address: 0, count: 4 * stride },
  { function: 1, address: 0, count: 10 }
] as const satisfies readonly modbus.ReadRange[]
/** Letters of an identity, then decimal digits, so that they are coded decimal too; in either order none has more than 18 of them. */
const words = Array.from({ length: asked[0].count }, (_, index) =>
  index < 4 ? 0x4142 : index % 4 === 1 || index % 4 === 2 ? (index * 0x111) & 0x133 : 0
)
const requests = asked.map(encodeReadRequest)

function answersOf(timestamp: keyof typeof timestampTypes): Uint8Array[] {
  const stored = [record(stamps[timestamp], 1), record([], 0), record(stamps[timestamp], 2), record(Array(6).fill(0xffff), 0)]
  return [encodeReadResponse(3, words), encodeReadResponse(4, stored.flat()), encodeBitsResponse(1, Array(10).fill(true))]
}

const pdus = [
  ...requests,
  ...answersOf('date-bcd'),
  encodeException(3, 2),
  modbus.encodeIdentificationRequest(0),
  modbus.encodeIdentificationResponse(
    [
      { id: 0, text: 'Maker' },
      { id: 1, text: 'WM-1' },
      { id: 2, text: '2.0' }
    ],
    0x81
  )
]

/** The most that a PDU has (Modbus Application Protocol V1.1b3, 4.1). */
const mostPdu = 253

/** A PDU whose byte count fits in most cases, so that the mutation reaches what it counts. */
function counted(bent: Uint8Array, pick: Random): Uint8Array {
  const pdu = Uint8Array.from(bent.subarray(0, mostPdu))
  const answer = ((pdu[0] ?? 0) & 0x7f) <= 4 && pdu.length > 2 && pdu.length !== 5
  if (!answer || pick(8) === 0) return pdu
  const even = pdu.length % 2 === 1 && (pdu[0] ?? 0) > 2 ? pdu.subarray(0, -1) : pdu
  even[1] = even.length - 2
  return even
}

const askedUnit = (pick: Random): number => (pick(8) === 0 ? pick(256) : unit)

function frameTarget({ name, wrap, unwrap }: Framing): FuzzTarget {
  return {
    name: `modbus ${name} frame`,
    corpus: pdus.map((pdu, index) => wrap(index, unit, pdu)),
    mend: (bytes, pick) => wrap(pick(8), askedUnit(pick), counted(unwrap(bytes), pick)),
    decode: (bytes) => [modbusCodec.describeFrame(bytes)]
  }
}

const fixed = { at: epochMs(0), zone: 'Europe/Istanbul' }

/** A conversation in which one answer is bent; in most cases its unit and size are those that were asked. */
function answersTarget({ name, wrap, unwrap }: Framing, timestamp: keyof typeof timestampTypes): FuzzTarget {
  const profile = profileOf(timestamp)
  const answers = answersOf(timestamp)
  const request = Buffer.concat(requests.map((pdu, index) => wrap(index, unit, pdu)))
  return {
    name: `modbus ${name} evidence, ${timestamp}`,
    corpus: answers.map((pdu, index) => wrap(index, unit, pdu)),
    mend: (bytes, pick) => {
      const place = pick(answers.length)
      const pdu = unwrap(bytes)
      const resized = Uint8Array.from(answers[place] ?? pdu, (byte, index) => pdu[index] ?? byte)
      if (pick(8) > 0) resized.set((answers[place] ?? pdu).subarray(0, 2))
      const bent = pick(8) === 0 ? counted(pdu, pick) : resized
      return Buffer.concat(
        answers.map((answer, index) => (index === place ? wrap(index, askedUnit(pick), bent) : wrap(index, unit, answer)))
      )
    },
    decode: (response) => [modbusCodec.decodeEvidence({ ...fixed, request, response, profile })]
  }
}

function requestsTarget({ name, wrap, unwrap }: Framing): FuzzTarget {
  const response = Buffer.concat(answersOf('date-bcd').map((pdu, index) => wrap(index, unit, pdu)))
  return {
    name: `modbus ${name} evidence, requests`,
    corpus: requests.map((pdu, index) => wrap(index, unit, pdu)),
    besideBytes: response.length,
    mend: (bytes, pick) => {
      const place = pick(requests.length)
      return Buffer.concat(requests.map((pdu, index) => wrap(index, unit, index === place ? unwrap(bytes).subarray(0, mostPdu) : pdu)))
    },
    decode: (request) => [modbusCodec.decodeEvidence({ ...fixed, request, response, profile: profileOf('date-bcd') })]
  }
}

export const fuzzedModbus: FuzzedCodec = {
  name: 'modbus',
  prefix: 'MODBUS_',
  targets: framings.flatMap((framing) => [
    frameTarget(framing),
    ...timestamps.map((timestamp) => answersTarget(framing, timestamp)),
    requestsTarget(framing)
  ])
}
