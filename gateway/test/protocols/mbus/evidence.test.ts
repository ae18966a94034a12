import { statusBits } from '@endeks/domain/metering'
import { fromIso, toIso } from '@endeks/domain/time'
import t from 'tap'
import {
  control,
  type EncodableRecord,
  encodeLong,
  encodeResponse,
  instantOf,
  type MeterDate,
  mbusCodec
} from '../../../src/protocols/mbus/codec/index.js'

const identity = { id: '12345678', manufacturer: 'KAM', version: 27, medium: 'cold-water' }
const at = fromIso('2026-11-24T09:00:00Z')
const register = { obis: '8-0:1.0.0*255', quantity: 'volume', function: 'instantaneous', tariff: 0, subunit: 0 }
const profile = {
  name: 'water',
  protocol: 'mbus',
  registers: [
    { ...register, storage: 'current' },
    { ...register, storage: 'stored' }
  ]
}

function volume(raw: bigint, storage = 0, more: Partial<EncodableRecord> = {}): EncodableRecord {
  return { quantity: 'volume', unit: 'm3', scaler: -3, storage, value: { coding: 'bcd', size: 4, raw }, ...more }
}

function date(storage: number, parts: Extract<MeterDate, { kind: 'date' | 'date-time' }>): EncodableRecord {
  return { quantity: 'time-point', unit: '', scaler: 0, storage, value: { coding: 'date', date: parts } }
}

const octoberEnd = { kind: 'date', year: 2026, month: 10, day: 31 } as const

function frame(
  records: readonly EncodableRecord[],
  more: { readonly id?: string; readonly status?: number; readonly moreFollow?: boolean } = {}
): Uint8Array {
  const { id = identity.id, status = 0, moreFollow = false } = more
  return encodeResponse({ address: 5, identity: { ...identity, id }, access: 1, status, records, moreFollow })
}

function decode(...frames: readonly Uint8Array[]) {
  const response = Buffer.concat(frames)
  return mbusCodec.decodeEvidence({ request: new Uint8Array(), response, at, profile, zone: 'Europe/Istanbul' })
}

function readingsOf(...frames: readonly Uint8Array[]): string[] {
  const decoded = decode(...frames)
  if (!decoded.ok) throw new Error(decoded.error.message)
  return decoded.value.readings.map(({ at, raw, scaler, unit, status }) => `${toIso(at)} ${raw}e${scaler} ${unit} ${status}`)
}

t.test('the current index stands at the gateway’s clock, as the meter sent it', (t) => {
  t.same(decode(Uint8Array.of(0xe5), frame([volume(49_451_000n)])), {
    ok: true,
    value: { identity, readings: [{ obis: '8-0:1.0.0*255', at, raw: 49_451_000n, scaler: -3, unit: 'm3', status: 0 }] }
  })
  t.end()
})

t.test('a month end without a time stands at the midnight that starts the next month', (t) => {
  t.same(readingsOf(frame([volume(7n, 1), date(1, octoberEnd)])), ['2026-10-31T21:00:00.000Z 7e-3 m3 0'])
  t.same(readingsOf(frame([volume(7n, 2), date(2, { kind: 'date', year: 2028, month: 2, day: 29 })])), [
    '2028-02-29T21:00:00.000Z 7e-3 m3 0'
  ])
  t.end()
})

t.test('a stored value is dated by its own storage number, in whichever frame the date is', (t) => {
  const first = frame([volume(9n), volume(8n, 1), volume(7n, 2)], { moreFollow: true })
  const second = frame([date(2, { ...octoberEnd, month: 9, day: 30 }), date(1, octoberEnd)])
  t.same(readingsOf(first, second), [
    '2026-11-24T09:00:00.000Z 9e-3 m3 0',
    '2026-10-31T21:00:00.000Z 8e-3 m3 0',
    '2026-09-30T21:00:00.000Z 7e-3 m3 0'
  ])
  t.end()
})

t.test('what has no sure date, no valid value or other qualifiers is no reading', (t) => {
  t.same(readingsOf(frame([volume(7n, 1)])), [], 'no date')
  t.same(readingsOf(frame([volume(7n, 1), date(1, { ...octoberEnd, month: 2 })])), [], '31 February')
  t.same(readingsOf(frame([volume(7n, 1), date(1, octoberEnd), date(1, { ...octoberEnd, day: 30 })])), [], 'two dates')
  t.same(readingsOf(frame([volume(7n, 0, { function: 'maximum' })])), [], 'a maximum')
  t.same(readingsOf(frame([volume(7n, 0, { tariff: 1 })])), [], 'a tariff')
  t.same(readingsOf(frame([volume(7n, 0, { subunit: 1 })])), [], 'a subunit')
  t.same(readingsOf(frame([volume(7n, 0, { quantity: 'mass', unit: 'kg' })])), [], 'another quantity')
  t.same(readingsOf(frame([volume(0n, 0, { value: { coding: 'real', value: Number.NaN } })])), [], 'not a number')
  t.end()
})

t.test('a register that is there without a value says so', (t) => {
  const broken = frame([volume(0n)])
  const at = broken.length - 6
  broken.fill(0xff, at, at + 4)
  broken[broken.length - 2] = broken.subarray(4, -2).reduce((sum, byte) => (sum + byte) & 0xff, 0)
  t.match(decode(broken), {
    ok: true,
    value: { readings: [], offered: ['volume m3 instantaneous storage 0 tariff 0 subunit 0 without a value (FFFFFFFF)'] }
  })
  t.end()
})

t.test('a date with a time wins over one without', (t) => {
  const exact = { kind: 'date-time', year: 2026, month: 11, day: 1, hour: 6, minute: 30, second: 0, summer: false } as const
  t.same(readingsOf(frame([volume(7n, 1), date(1, octoberEnd), date(1, exact)])), ['2026-11-01T03:30:00.000Z 7e-3 m3 0'])
  t.end()
})

t.test('of one counter given twice the first is the register', (t) => {
  t.same(readingsOf(frame([volume(7n), volume(70n, 0, { scaler: -4 }), volume(9n)])), ['2026-11-24T09:00:00.000Z 7e-3 m3 0'])
  t.end()
})

t.test('a float index is the shortest decimal of its four bytes', (t) => {
  t.same(readingsOf(frame([volume(0n, 0, { value: { coding: 'real', value: Math.fround(18_511.912) } })])), [
    '2026-11-24T09:00:00.000Z 18511912e-6 m3 0'
  ])
  t.end()
})

t.test('the status byte becomes status bits of every reading', (t) => {
  const bits = statusBits.batteryLow | statusBits.temporaryError
  t.same(readingsOf(frame([volume(7n)], { status: 0x14 })), [`2026-11-24T09:00:00.000Z 7e-3 m3 ${bits}`])
  t.same(readingsOf(frame([volume(7n)], { status: 0xe8 })), [`2026-11-24T09:00:00.000Z 7e-3 m3 ${statusBits.permanentError}`])
  t.end()
})

t.test('two devices in one conversation are refused', (t) => {
  const decoded = decode(frame([volume(1n)], { moreFollow: true }), frame([volume(2n)], { id: '87654321' }))
  t.match(decoded, { ok: false, error: { code: 'MBUS_IDENTITY_CHANGED' } })
  t.match(decode(Uint8Array.of(0xe5)), { ok: false, error: { code: 'MBUS_NO_RESPONSE' } })
  t.match(mbusCodec.decodeEvidence({ request: new Uint8Array(), response: frame([]), at, profile: {}, zone: 'UTC' }), {
    ok: false,
    error: { code: 'MBUS_PROFILE' }
  })
  t.end()
})

t.test('an answer that names no meter gives no readings by itself', (t) => {
  const unnamed = encodeLong(control.respondUserData, 5, 0x7a, Uint8Array.of(1, 0, 0, 0, 0x0c, 0x13, 7, 0, 0, 0))
  t.match(decode(unnamed), { ok: false, error: { code: 'MBUS_NO_IDENTITY' } })
  t.same(readingsOf(frame([]), unnamed), ['2026-11-24T09:00:00.000Z 7e-3 m3 0'], 'the frame before it does')
  t.end()
})

t.test('a counter stored at an unknown fixed date is no reading, whatever the profile', (t) => {
  // Counters of the fixed structure in m3; bit 1 of the status says that both are of a fixed date.
  const fixed = (status: number): Uint8Array =>
    encodeLong(control.respondUserData, 5, 0x73, Uint8Array.of(0x78, 0x56, 0x34, 0x12, 1, status, 0x2c, 0x3e, 7, 0, 0, 0, 6, 0, 0, 0))
  const stored = { ...profile, registers: [{ ...register, storage: 'current', qualifiers: ['stored-at-fixed-date'] }] }
  const read = (response: Uint8Array, by: unknown): unknown =>
    mbusCodec.decodeEvidence({ request: new Uint8Array(), response, at, profile: by, zone: 'Europe/Istanbul' })
  t.match(read(fixed(0), profile), { ok: true, value: { readings: [{ raw: 7n, unit: 'm3' }] } })
  t.match(read(fixed(2), profile), { ok: true, value: { readings: [] } })
  t.match(read(fixed(0), stored), { ok: true, value: { readings: [] } })
  t.end()
})

t.test('the hour that comes twice is told apart by the summer time flag', (t) => {
  const twice = { kind: 'date-time', year: 2026, month: 10, day: 25, hour: 2, minute: 30, second: 0 } as const
  const text = (parts: MeterDate, zone: string): string | undefined => {
    const instant = instantOf(parts, zone)
    return instant === undefined ? undefined : toIso(instant)
  }
  t.equal(text({ ...twice, summer: true }, 'Europe/Berlin'), '2026-10-25T00:30:00.000Z')
  t.equal(text({ ...twice, summer: false }, 'Europe/Berlin'), '2026-10-25T01:30:00.000Z')
  t.equal(text({ ...twice, summer: true }, 'Europe/Istanbul'), '2026-10-24T23:30:00.000Z')
  t.equal(text({ kind: 'date', year: 2026, month: 12, day: 31 }, 'Europe/Berlin'), '2026-12-31T23:00:00.000Z')
  t.equal(text({ kind: 'time', hour: 1, minute: 0, second: 0 }, 'Europe/Berlin'), undefined)
  t.end()
})

/** A long frame around records written by hand, behind the long header of KAM 12345678. */
function handMade(records: string): Uint8Array {
  const body = Buffer.from(`080572785634122d2c1b1600000000${records}`, 'hex')
  const sum = body.reduce((total, byte) => (total + byte) & 0xff, 0)
  return Uint8Array.of(0x68, body.length, body.length, 0x68, ...body, sum, 0x16)
}

t.test('a value of Fs and a date of 31 February are refused beside the good ones, each with its bytes', (t) => {
  // Volume now: 12345; storage 1: Fs on 31 October; storage 2: 77 on 31 February; storage 3: 55 and a date never filed.
  const records = '0c1345230100 4c13ffffffff 426c5f3a 8c011377000000 82016c5f32 cc011355000000 c2016cffff'.replaceAll(' ', '')
  const decoded = decode(handMade(records))
  if (!decoded.ok) throw new Error(decoded.error.message)
  t.same(
    decoded.value.readings.map(({ at, raw }) => [at, raw]),
    [[at, 12_345n]]
  )
  t.match(decoded.value.refused, [
    { code: 'MBUS_DATE', message: /storage 2 .*5f32/i },
    { code: 'MBUS_NO_VALUE', message: /8-0:1\.0\.0\*255 .*storage 1 .*ffffffff/i }
  ])
  t.equal(decoded.value.refused?.length, 2, 'what was never filed is no news')
  t.end()
})
