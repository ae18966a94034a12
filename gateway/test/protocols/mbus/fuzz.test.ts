import { epochMs } from '@endeks/domain/time'
import t from 'tap'
import { control, encodeLong, encodeResponse, mbusCodec } from '../../../src/protocols/mbus/codec/index.js'

const hex = (text: string): Uint8Array => Buffer.from(text.replaceAll(' ', ''), 'hex')
const seed = 20_260_901
const mutations = 100_000

const identity = { id: '00012345', manufacturer: 'ELS', version: 7, medium: 'gas' }
const volume = { quantity: 'volume', unit: 'm3', scaler: -3, value: { coding: 'bcd', size: 4, raw: 42n } } as const
const header = '78 56 34 12 2D 2C 1B 16 2A 00 00 00'
const answer = (ci: number, data: string): Uint8Array => encodeLong(control.respondUserData, 1, ci, hex(data))

/** One good frame for each way through the decoder. */
const good: readonly Uint8Array[] = [
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

const profile = {
  name: 'any',
  protocol: 'mbus',
  registers: [{ obis: '8-0:1.0.0*255', quantity: 'volume', function: 'instantaneous', tariff: 0, subunit: 0, storage: 'stored' }]
}

/** A linear congruential generator: the same mutations on every machine. */
function generator(): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

/** Flips, cuts, inserts, splices two frames or lies about the length. */
function mutated(random: (below: number) => number): Uint8Array {
  const one = good[random(good.length)] ?? new Uint8Array()
  const at = random(one.length)
  const kind = random(5)
  if (kind === 0) return Uint8Array.of(...one.subarray(0, at), ...one.subarray(at + 1 + random(4)))
  if (kind === 1) return Uint8Array.of(...one.subarray(0, at), random(256), ...one.subarray(at))
  if (kind === 2) {
    const other = good[random(good.length)] ?? new Uint8Array()
    return Uint8Array.of(...one.subarray(0, at), ...other.subarray(random(other.length)))
  }
  const bytes = Uint8Array.from(one)
  if (kind === 3) bytes[1] = bytes[2] = random(256)
  else for (let count = random(6); count >= 0; count--) bytes[random(bytes.length)] = random(256)
  return bytes
}

/** Lengths, checksum and stop that fit again, so that the mutation reaches the records. */
function mended(bytes: Uint8Array): Uint8Array {
  if (bytes.length < 9) return bytes
  const frame = Uint8Array.from(bytes)
  frame.set([0x68, bytes.length - 6, bytes.length - 6, 0x68, control.respondUserData])
  frame.set([frame.subarray(4, -2).reduce((total, byte) => (total + byte) & 0xff, 0), 0x16], bytes.length - 2)
  return frame
}

t.test('every mutation of a frame ends in a value or in a coded failure', (t) => {
  // Goal: whatever the bytes, nothing is thrown. Method: seeded mutations, three of four with lengths and a checksum that fit again.
  const random = generator()
  const key = new Uint8Array(16).fill(7)
  const codes: Record<string, number> = {}
  for (let run = 0; run < mutations; run++) {
    const bytes = run % 4 === 0 ? mutated(random) : mended(mutated(random))
    const decoded = mbusCodec.describeFrame(bytes, run % 2 === 0 ? { key } : undefined)
    const code = decoded.ok ? 'ok' : decoded.error.code
    codes[code] = (codes[code] ?? 0) + 1
    if (run % 5 > 0) continue
    const exchange = { request: new Uint8Array(), response: bytes, at: epochMs(0), profile, zone: 'Europe/Istanbul' }
    const evidence = mbusCodec.decodeEvidence(exchange)
    if (!evidence.ok && !evidence.error.code.startsWith('MBUS_')) codes[evidence.error.code] = 1
  }
  t.comment(`seed ${seed}: ${JSON.stringify(codes)}`)
  t.same(
    Object.keys(codes).filter((code) => code !== 'ok' && !code.startsWith('MBUS_')),
    []
  )
  t.ok((codes['ok'] ?? 0) > mutations / 10, 'many reach the records')
  t.end()
})

t.test('every cut of a frame is a failure', (t) => {
  for (const frame of good)
    for (let length = 0; length < frame.length; length++)
      t.match(mbusCodec.describeFrame(frame.subarray(0, length)), { ok: false, error: { code: /^MBUS_(TRUNCATED|EMPTY)$/ } })
  t.end()
})
