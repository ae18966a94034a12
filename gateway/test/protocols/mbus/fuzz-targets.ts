import { epochMs } from '@endeks/domain/time'
import { authenticationOf, encodeAuthentication } from '../../../src/protocols/mbus/codec/authentication.js'
import {
  type Command,
  control,
  encodeCommand,
  encodeLong,
  encodeResponse,
  mbusCodec,
  readCommand,
  readFrame
} from '../../../src/protocols/mbus/codec/index.js'
import { macOf, sealModeFive, sealModeSeven } from '../../../src/protocols/mbus/codec/security.js'
import type { FuzzedCodec, Outcome } from '../../fuzz/engine.js'
import { oneOf, type Random } from '../../fuzz/random.js'
import { hexFiles } from '../../fuzz/vectors.js'

const hex = (text: string): Uint8Array => Buffer.from(text.replaceAll(' ', ''), 'hex')
const key = new Uint8Array(16).fill(7)

const identity = { id: '00012345', manufacturer: 'ELS', version: 7, medium: 'gas' }
const volume = { quantity: 'volume', unit: 'm3', scaler: -3, value: { coding: 'bcd', size: 4, raw: 42n } } as const
const header = '78 56 34 12 2D 2C 1B 16 2A 00 00 00'
const answer = (ci: number, data: string): Uint8Array => encodeLong(control.respondUserData, 1, ci, hex(data))

/** One good frame for each way through the decoder. */
export const goodFrames: readonly Uint8Array[] = [
  encodeResponse({ address: 9, identity, access: 1, status: 0, records: [volume, { ...volume, storage: 300 }], moreFollow: true }),
  answer(0x72, `${header} 0D FD 11 04 54 53 45 54 0D FD 10 C3 56 34 12 0D FD 3A D2 34 12 0D FD 19 E2 AB CD 02 7C 03 52 57 50 01 00`),
  answer(
    0x72,
    `${header} 04 6D 2B 0D 98 11 02 6C BF 1C 06 6D 1E 2B 0D 98 11 00 03 6D 1E 2B 0D 05 DB 7B 00 00 80 3F 07 93 FC 01 13 00 00 00 00 00 00 00`
  ),
  answer(0x76, `${header} 0C 13 49 45 10 00`),
  answer(0x72, `78 56 34 12 2D 2C 1B 16 2A 00 10 05 ${'5A '.repeat(16)} 01 13 07`),
  answer(0x7a, '2A 00 00 00 0C 13 00 10 45 49 0F 01 02 03'),
  answer(0x73, '78 56 34 12 0A 00 E9 7E 01 00 00 00 35 01 00 00'),
  answer(0x70, '08')
]
const hidden = { address: 9, identity, access: 1, status: 0, records: [volume] }
const corpus = [
  ...goodFrames,
  encodeResponse({ ...hidden, security: { mode: 5, key } }),
  encodeResponse({ ...hidden, security: { mode: 7, key, counter: 7 } }),
  ...hexFiles('libmbus'),
  ...hexFiles('libmbus-negative')
]

const profile = {
  name: 'any',
  protocol: 'mbus',
  registers: [
    { obis: '8-0:1.0.0*255', quantity: 'volume', function: 'instantaneous', tariff: 0, subunit: 0, storage: 'current' },
    { obis: '8-0:1.0.0*255', quantity: 'volume', function: 'instantaneous', tariff: 0, subunit: 0, storage: 'stored' }
  ]
}

/** Lengths, checksum and stop that fit; in most cases the control field of an answer too, so that the mutation reaches the records. */
function mended(bytes: Uint8Array, pick: Random): Uint8Array {
  const data = bytes.subarray(7, Math.max(7, Math.min(bytes.length - 2, 7 + 252)))
  const spoken = pick(8) === 0 ? (bytes[4] ?? 0) : control.respondUserData
  return encodeLong(spoken, bytes[5] ?? 0, bytes[6] ?? 0, data)
}

const id = Uint8Array.of(0x78, 0x56, 0x34, 0x12)
const maker = Uint8Array.of(0x2d, 0x2c)
const device = Uint8Array.of(0x1b, 0x16)
const access = 0x2a
const blockSize = 16
/** The meter's own key, from which those of a message of mode 7 are derived. */
const derivedByCmac = 0x10

/** Bent records behind two fillers, hidden by mode 5 or 7: what only an owner of the key could send. */
function sealed(bytes: Uint8Array, pick: Random): Uint8Array {
  const blocks = 1 + pick(13)
  const body = new Uint8Array(blocks * blockSize).fill(0x2f)
  body.set(bytes.subarray(19, 19 + body.length - 2), 2)
  const sealing = { address: Uint8Array.of(...maker, ...id, ...device), access, key: oneOf([key, key, key, new Uint8Array(16)], pick) }
  const mode = oneOf([5, 7] as const, pick)
  const head = Uint8Array.of(...id, ...maker, ...device, access, 0, blocks << 4, mode)
  if (mode === 5) return encodeLong(control.respondUserData, 1, 0x72, Uint8Array.of(...head, ...sealModeFive(body, sealing)))
  const layer = authenticationOf(pick(2 ** 32))
  const message = Uint8Array.of(0x72, ...head, derivedByCmac, ...sealModeSeven(body, sealing, layer.counter))
  return encodeLong(
    control.respondUserData,
    1,
    0x90,
    Uint8Array.of(...encodeAuthentication(layer, macOf(layer, message, sealing)), ...message)
  )
}

const commands = [
  { kind: 'select', address: { id: '1234FFFF', manufacturer: 'ELS', version: 7 } },
  { kind: 'application-reset', subcode: 0x10 },
  { kind: 'application-reset' },
  { kind: 'set-address', address: 5 },
  { kind: 'data', records: Uint8Array.of(0x08, 0x13) }
] as const satisfies readonly Command[]

/** What a master says, as a meter hears it: with a control field of its own in most cases. */
function told(bytes: Uint8Array, pick: Random): Uint8Array {
  const data = bytes.subarray(7, Math.max(7, Math.min(bytes.length - 2, 7 + 252)))
  return encodeLong(pick(8) === 0 ? (bytes[4] ?? 0) : control.sendUserData, bytes[5] ?? 0, bytes[6] ?? 0, data)
}

function heard(bytes: Uint8Array): Outcome {
  const frame = readFrame(bytes)
  return frame.ok && frame.value.type === 'long' ? readCommand(frame.value) : frame
}

/** A readout: acknowledgement, a bent answer and a good one. */
function readout(bytes: Uint8Array, pick: Random): Uint8Array {
  const more = pick(2) === 0 ? (goodFrames[0] ?? key) : new Uint8Array(0)
  return Uint8Array.of(0xe5, ...mended(bytes, pick), ...more)
}

const evidence = { request: new Uint8Array(0), at: epochMs(0), profile, zone: 'Europe/Istanbul' }

export const fuzzedMbus: FuzzedCodec = {
  name: 'mbus',
  prefix: 'MBUS_',
  targets: [
    {
      name: 'mbus frame',
      corpus,
      mend: mended,
      decode: (bytes) => [mbusCodec.describeFrame(bytes), mbusCodec.describeFrame(bytes, { key, profile })]
    },
    {
      name: 'mbus command',
      corpus: commands.map((command) => encodeCommand(command, 253)),
      mend: told,
      decode: (bytes) => [heard(bytes)]
    },
    { name: 'mbus ciphered', corpus, mend: sealed, decode: (bytes) => [mbusCodec.describeFrame(bytes, { key })] },
    {
      name: 'mbus evidence',
      corpus,
      mend: readout,
      decode: (bytes) => [mbusCodec.decodeEvidence({ ...evidence, response: bytes })]
    }
  ]
}
