import t from 'tap'
import { dlmsCodec } from '../../../src/protocols/dlms/codec/index.js'
import * as by from './peer.js'

/** What cannot be a value or a date is refused by itself: what stands beside it is kept, and each is told. */

const zone = 'Europe/Istanbul'
const compact = (...parts: readonly string[]): string => parts.join('').replaceAll(' ', '')
const [first, second] = ['8-0:1.0.0*255', '8-0:2.0.0*255']
const names = { [first]: '0800010000ff', [second]: '0800020000ff' }

type Script = readonly (readonly [string, string])[]

function decode(script: Script, profile: unknown) {
  const request = Buffer.concat(script.map(([each]) => by.frame(each, 16, 1)))
  const response = Buffer.concat(script.map(([, each]) => by.frame(each)))
  return dlmsCodec.decodeEvidence({ request, response, at: by.now, profile, zone })
}

const profile = (more: object = {}, registerMore: object = {}) => ({
  ...by.profile,
  registers: [
    { obis: first, class: 3, ...registerMore },
    { obis: second, class: 3 }
  ],
  profileBuffer: { obis: '1-0:99.2.0*255' },
  ...more
})

interface Said {
  readonly scale?: string
  readonly value?: string
}

/** A current read of two registers, the first of which says something else than usual. */
function two({ scale = '02020ffd160d', value = '06 00012345' }: Said = {}): Script {
  const ask = (invoke: number, obis: string, attribute: string, said: string): readonly [string, string] => [
    compact(`c001c${invoke} 0003 ${obis} ${attribute} 00`),
    compact(`c401c${invoke} 00`, said)
  ]
  return [
    ...by.current.slice(0, 2),
    ask(2, names[first] ?? '', '03', scale),
    ask(3, names[first] ?? '', '02', value),
    ask(4, names[second] ?? '', '03', '02020ffd160d'),
    ask(5, names[second] ?? '', '02', '06 00000007')
  ]
}

const reading = (obis: string, raw: bigint, at: number = by.now) => ({ obis, at, raw, scaler: -3, unit: 'm3', status: 0 })

t.test('a register of the profile with a value that cannot be one does not take the other along', (t) => {
  const cases: readonly (readonly [string, Said, object, string, RegExp])[] = [
    ['all ones', { value: '06 ffffffff' }, { invalid: '0xFFFFFFFF' }, 'DLMS_NO_VALUE', /0xffffffff is what the profile calls invalid/],
    ['one of several', { value: '12 8000' }, { invalid: ['0x7fff', '0x8000'] }, 'DLMS_NO_VALUE', /0x8000/],
    ['bits of a number below zero', { value: '05 ffffffff' }, { invalid: '0xffffffff' }, 'DLMS_NO_VALUE', /0xffffffff/],
    ['64 bits', { value: '15 ffffffffffffffff' }, { invalid: '0xffffffffffffffff' }, 'DLMS_NO_VALUE', /0xf{16}/],
    ['64 bits that nobody called invalid', { value: '15 ffffffffffffffff' }, {}, 'DLMS_VALUE', /18 digits/],
    ['a float', { value: '17 3f800000' }, {}, 'DLMS_VALUE', /float32/],
    ['null-data', { value: '00' }, {}, 'DLMS_VALUE', /null-data/],
    ['a scaler beyond the wire', { scale: '02020f0d160d' }, {}, 'DLMS_UNIT', /10\^13/],
    ['a unit that nobody bills', { scale: '02020ffd1621' }, {}, 'DLMS_UNIT', /33/]
  ]
  for (const [name, said, more, code, message] of cases) {
    const decoded = decode(two(said), profile({}, more))
    t.match(decoded, { ok: true, value: { readings: [reading(second, 7n)] } }, name)
    t.match(decoded, { value: { refused: [{ code, message }] } }, name)
    t.match(decoded, { value: { refused: [{ message: /^8-0:1\.0\.0\*255: / }] } })
  }
  const usual = decode(two(), profile({}, { invalid: '0xffffffff' }))
  t.same(usual, { ok: true, value: { identity: { id: '12345678' }, readings: [reading(first, 74565n), reading(second, 7n)] } })
  t.same(decode(two({ value: '06 ffffffff' }), profile()).ok && 'delivered', 'delivered', 'without the profile it is a number like others')
  t.end()
})

t.test('a conversation of which nothing is kept has failed, and says why of each register', (t) => {
  const all = profile({ registers: [first, second].map((obis) => ({ obis, class: 3, invalid: ['0x12345', '0x7'] })) })
  t.match(decode(two(), all), { ok: false, error: { code: 'DLMS_NO_VALUE', message: /8-0:1\.0\.0.*0x12345.*; 8-0:2\.0\.0.*0x7/ } })
  t.end()
})

const column = (objectClass: string, name: string) => `0204 12${objectClass} 0906${name} 0f02 120000`
const bufferName = '0007 0100630200ff'

/** A history read whose load profile has these clocks, each with a counter of 1, 2, 3 and so on unless told. */
function history(clocks: readonly string[], counter = (index: number): string => `06${(index + 1).toString(16).padStart(8, '0')}`): Script {
  const rows = clocks.map((clock, index) => compact('0202', clock, counter(index)))
  const captures = ['0008', '0003'].map((of, index) => column(of, index === 0 ? '0000010000ff' : (names[first] ?? '')))
  return [
    ...two(),
    [compact('c001c6', bufferName, '03 00'), compact('c401c6 00 01 02', ...captures)],
    [compact('c001c7', bufferName, '02 00'), compact(`c401c7 00 01 ${rows.length.toString(16).padStart(2, '0')}`, ...rows)]
  ]
}

const hour = 3_600_000
const midnight = Date.UTC(2026, 10, 22, 21)
const good = '090c 07ea0b17ff 00 00 00 00 ff4c 00'
const impossible = '090c 07ea021fff 00 00 00 00 8000 00'

function rowsOf(script: Script, more: object = {}) {
  const decoded = decode(script, profile(more, { invalid: '0xffffffff' }))
  return decoded.ok ? { rows: decoded.value.readings.slice(2), refused: decoded.value.refused ?? [] } : decoded.error
}

t.test('a row with a date that no calendar has is refused and told, the rows around it are kept', (t) => {
  const later = good.replace('ff 00 00', 'ff 01 00')
  t.match(rowsOf(history([good, impossible, later])), {
    rows: [reading(first, 1n, midnight), reading(first, 3n, midnight + hour)],
    refused: [{ code: 'DLMS_DATE', message: /^row 2 of 1-0:99\.2\.0\*255: its clock 2026-02-31T00:00:00\.00 is no instant$/ }]
  })
  t.match(rowsOf(history([good.replace(/00$/, '01'), good])), { refused: [{ message: /calls itself invalid/ }] })
  t.match(
    rowsOf(history([good.replace('17ff 00', '17ff ff')])),
    { rows: [], refused: [{ message: /T\*\*:00/ }] },
    'an hour that is missing'
  )
  t.match(rowsOf(history(['1107', good])), { refused: [{ code: 'DLMS_DATE', message: /an? unsigned stands where a clock was due/ }] })
  t.end()
})

t.test('a row without any date is merely not filed', (t) => {
  const silent = ['00', '090c ffff ff ff ff ff ff ff ff 8000 ff', '090c ffff ff ff ff 00 00 00 00 8000 00']
  t.same(rowsOf(history([...silent, good])), { rows: [reading(first, 4n, midnight)], refused: [] })
  t.end()
})

t.test('a cell with an invalid value is refused, its row and column named', (t) => {
  const script = history([good, good.replace('ff 00 00', 'ff 01 00')], (index) => (index === 0 ? '06ffffffff' : '0600000009'))
  t.match(rowsOf(script), {
    rows: [reading(first, 9n, midnight + hour)],
    refused: [{ code: 'DLMS_NO_VALUE', message: /^8-0:1\.0\.0\*255 in row 1 of 1-0:99/ }]
  })
  t.end()
})

t.test('of a load profile full of such rows a few are told, and how many more', (t) => {
  const told = rowsOf(history(Array.from({ length: 100 }, () => impossible)))
  t.equal('refused' in told && told.refused.length, 17)
  t.match(told, { refused: { 16: { code: 'DLMS_DATE', message: 'and 84 values more are refused' } } })
  t.end()
})

t.test('what was pushed is refused by itself as well', (t) => {
  const captures = ['identity', 'clock', ...[first, second].map((obis) => ({ obis, scaler: -3, unit: 'm3' }))]
  const pushing = profile({ push: { captures } }, { invalid: '0xffffffff' })
  const pushed = (clock: string) => by.frame(compact('0f 80000001 00 0204 09083132333435363738', clock, '06ffffffff 0600000007'))
  const push = (clock: string) =>
    dlmsCodec.decodeEvidence({ request: new Uint8Array(), response: pushed(clock), at: by.now, profile: pushing, zone })
  t.match(push(good), { ok: true, value: { readings: [reading(second, 7n, midnight)], refused: [{ code: 'DLMS_NO_VALUE' }] } })
  t.match(push(impossible), { ok: false, error: { code: 'DLMS_DATE', message: /^the push: .*2026-02-31/ } })
  t.end()
})

t.test('a load profile that refuses a range and has no rows is no failure of the registers', (t) => {
  const range = by.history[5]?.[0].replace('c001c5', 'c001c7') ?? ''
  const ask = (invoke: number, attribute: string, said: string): readonly [string, string] => [
    compact(`c001c${invoke.toString(16)}`, bufferName, `${attribute} 00`),
    compact(`c401c${invoke.toString(16)} 00`, said)
  ]
  const script = [
    ...history([]).slice(0, -1),
    [range, 'c401c7010d'] as const,
    ask(8, '07', '0600000000'),
    ask(9, '04', '0600000e10'),
    ask(10, '05', '1601')
  ]
  t.match(decode(script, profile()), { ok: true, value: { readings: [reading(first, 74565n), reading(second, 7n)] } })
  t.match(decode([...script.slice(0, -3), ask(8, '07', '0600000001')], profile()), { ok: false, error: { code: 'DLMS_ACCESS' } })
  t.end()
})
