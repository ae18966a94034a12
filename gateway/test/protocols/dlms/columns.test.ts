import t from 'tap'
import { dlmsCodec } from '../../../src/protocols/dlms/codec/index.js'
import type { MeterKeys } from '../../../src/protocols/protocol.js'
import * as by from './peer.js'
import { authenticationKey, globalKey, meterTitle, seal } from './secure-peer.js'

/** What decides a column: the meter's capture_objects, the profile, null-data; extended registers; pushes. All by bytes written by hand. */

const zone = 'Europe/Istanbul'
const compact = (...parts: readonly string[]): string => parts.join('').replaceAll(' ', '')
const { profileBuffer: _buffer, ...open } = by.profile
const registerName = '8-0:1.0.0*255'
const bufferName = '0007 0100630200ff'

type Script = readonly (readonly [string, string])[]

function decode(script: Script, profile: unknown) {
  const request = Buffer.concat(script.map(([each]) => by.frame(each, 16, 1)))
  const response = Buffer.concat(script.map(([, each]) => by.frame(each)))
  return dlmsCodec.decodeEvidence({ request, response, at: by.now, profile, zone })
}

const reading = (at: number, raw: bigint, status = 0) => ({ obis: registerName, at, raw, scaler: -3, unit: 'm3', status })
const column = (objectClass: string, name: string, attribute: string) => `0204 12${objectClass} 0906${name} 0f${attribute} 120000`
const clockColumn = column('0008', '0000010000ff', '02')
const statusColumn = column('0001', '0000600a01ff', '02')
const valueColumn = column('0003', '0800010000ff', '02')
const clockAt = (hour: string, rest = '00 00 00 ff4c 00') => `090c 07ea0b17ff ${hour} ${rest}`

/** A history conversation: capture_objects, period and order, and rows. */
function conversation(
  columns: readonly string[],
  rows: readonly (readonly string[])[],
  { period = '00000e10', order = '01' } = {}
): Script {
  const captures = compact(`c401c4 00 01 ${columns.length.toString().padStart(2, '0')}`, ...columns)
  const cells = rows.map((row) => compact(`02 ${row.length.toString().padStart(2, '0')}`, ...row))
  return [
    ...by.current.slice(0, -1),
    [by.getCaptures, captures],
    [compact('c001c5', bufferName, '04 00'), `c401c50006${period}`],
    [compact('c001c6', bufferName, '05 00'), `c401c60016${order}`],
    [compact('c001c7', bufferName, '02 00'), compact(`c401c7 00 01 ${rows.length.toString().padStart(2, '0')}`, ...cells)]
  ]
}

const buffer = (more: object) => ({ ...open, profileBuffer: { obis: '1-0:99.2.0*255', ...more } })
const hour = 3_600_000
const midnight = Date.UTC(2026, 10, 22, 21)

function stored(script: Script, profile: unknown) {
  const decoded = decode(script, profile)
  return decoded.ok ? decoded.value.readings.slice(1) : decoded.error.code
}

t.test('without columns in the profile those of the meter count, whatever else it captures', (t) => {
  const script = conversation([statusColumn, clockColumn, valueColumn], [['1100', clockAt('00'), '0600000007']])
  t.same(stored(script, buffer({})), [reading(midnight, 7n)])
  t.equal(stored(conversation([statusColumn, valueColumn], []), buffer({})), 'DLMS_CAPTURES', 'no clock')
  t.same(stored(script, buffer({ captures: ['ignore', 'clock', registerName] })), [reading(midnight, 7n)])
  t.end()
})

t.test('a column that is another one in the meter is refused, naming both', (t) => {
  const script = conversation([clockColumn, column('0003', '0800020000ff', '02')], [[clockAt('00'), '0600000007']])
  const decoded = decode(script, buffer({ captures: ['clock', registerName] }))
  t.match(decoded, {
    ok: false,
    error: { code: 'DLMS_CAPTURES', message: /column 2 is Register 8-0:2.0.0\*255 value .* 8-0:1.0.0\*255 in the profile/ }
  })
  const more = conversation([clockColumn, valueColumn, statusColumn], [])
  t.match(decode(more, buffer({ captures: ['clock', registerName] })), {
    ok: false,
    error: { code: 'DLMS_CAPTURES', message: /3 columns.* 2/ }
  })
  t.end()
})

const nulls: readonly (readonly string[])[] = [
  [clockAt('00'), '0600000007'],
  ['00', '00'],
  ['00', '0600000009'],
  [clockAt('05'), '00'],
  ['00', '00']
]

t.test('null-data is "unchanged" where the profile says so: the value above, and a period later', (t) => {
  const script = conversation([clockColumn, valueColumn], nulls)
  t.same(stored(script, buffer({ nulls: 'unchanged' })), [
    reading(midnight, 7n),
    reading(midnight + hour, 7n),
    reading(midnight + 2 * hour, 9n),
    reading(midnight + 5 * hour, 9n),
    reading(midnight + 6 * hour, 9n)
  ])
  t.same(stored(script, buffer({})), [reading(midnight, 7n)], 'and is nothing where it does not')
  t.end()
})

t.test('a row whose time nobody can tell is left out', (t) => {
  const lost = [reading(midnight, 7n), reading(midnight + 5 * hour, 9n)]
  for (const more of [{ period: '00000000' }, { period: '00015180' }])
    t.same(stored(conversation([clockColumn, valueColumn], nulls, more), buffer({ nulls: 'unchanged' })), lost)
  // Newest first, the row above is the later one: what is unchanged since the one before stands below.
  const newestFirst = conversation([clockColumn, valueColumn], nulls, { order: '02' })
  t.same(stored(newestFirst, buffer({ nulls: 'unchanged' })), [reading(midnight, 7n)])
  const first = conversation([clockColumn, valueColumn], [['00', '00'], ...nulls.slice(0, 1)])
  t.same(stored(first, buffer({ nulls: 'unchanged' })), [reading(midnight, 7n)], 'nothing stands above the first')
  const broken = conversation([clockColumn, valueColumn], [[clockAt('ff'), '0600000007'], ['00', '00'], ...nulls.slice(0, 1)])
  t.same(stored(broken, buffer({ nulls: 'unchanged' })), [reading(midnight, 7n)], 'nor can anything follow a clock that is none')
  t.end()
})

t.test('an extended register stands at its capture time', (t) => {
  const extended = { ...open, registers: [{ obis: registerName, class: 4 }] }
  const name = '0004 0800010000ff'
  const at = (time: string): Script => [
    ...by.current.slice(0, 2),
    [compact('c001c2', name, '03 00'), by.scale],
    [compact('c001c3', name, '02 00'), by.value],
    [compact('c001c4', name, '05 00'), compact('c401c4 00', time)]
  ]
  const doubtful = 64
  const decoded = decode(at(clockAt('00', '00 00 00 ff4c 02')), extended)
  t.match(decoded, { ok: true, value: { readings: [reading(midnight, 74565n, doubtful)] } })
  const timeless = { ok: false, error: { code: 'DLMS_DATE', message: `${registerName}: it has a value and no capture time` } }
  t.same(decode(at('090c ffffffffff ffffffff 8000 ff'), extended), timeless)
  t.same(decode(at('00'), extended), timeless)
  t.match(decode(at(clockAt('00')).slice(0, -1), extended), { ok: false, error: { code: 'DLMS_INCOMPLETE' } })
  t.end()
})

t.test('the meter behind an M-Bus client', (t) => {
  const profile = { ...open, identity: { obis: '0-1:24.1.0*255', class: 72 } }
  const name = '0048 0001180100ff'
  const values = (number: string): Script => [
    ...by.current.slice(0, 1),
    [compact('c001c1', name, '06 00'), compact('c401c1 00 06', number)],
    [compact('c001c2', name, '07 00'), 'c401c200122c2d'],
    [compact('c001c3', name, '08 00'), 'c401c3001108'],
    [compact('c001c4', name, '09 00'), 'c401c4001107'],
    ...by.current.slice(2, 4).map(([request, said], index) => {
      const invoke = `c${5 + index}`
      return [request.slice(0, 4) + invoke + request.slice(6), said.slice(0, 4) + invoke + said.slice(6)] as const
    })
  ]
  t.match(decode(values('00815472'), profile), {
    ok: true,
    value: { identity: { id: '00815472', manufacturer: 'KAM', version: 8, medium: 'water' }, readings: [reading(by.now, 74565n)] }
  })
  t.match(decode(values('00bc614e'), profile), { ok: true, value: { identity: { id: '12345678' } } }, 'a number that is not in digits')
  t.match(decode(values('00000000'), profile), { ok: false, error: { code: 'DLMS_IDENTITY' } }, 'a port to which nothing is bound')
  t.end()
})

const pushing = { ...open, push: { captures: ['identity', 'clock', { obis: registerName, scaler: -3, unit: 'm3' }] } }
const pushed = (cells: string, time = '00') => compact('0f 80000001', time, cells)
const cells = compact('0203', '09083132333435363738', clockAt('00'), '0600012345')
const decodePush = (response: Uint8Array, profile: unknown = pushing, keys?: MeterKeys) =>
  dlmsCodec.decodeEvidence({ request: new Uint8Array(), response, at: by.now, profile, zone, ...(keys === undefined ? {} : { keys }) })

t.test('what a meter pushed is evidence with an empty request', (t) => {
  const value = { identity: { id: '12345678' }, readings: [reading(midnight, 74565n)] }
  t.same(decodePush(by.frame(pushed(cells))), { ok: true, value })
  const scaled = { ...open, push: { captures: ['identity', 'clock', { obis: registerName }, { scalerUnit: registerName }] } }
  t.same(decodePush(by.frame(pushed(compact('0204', cells.slice(4), '02020ffd160d'))), scaled), { ok: true, value })
  const timeless = { ...open, push: { captures: ['identity', { obis: registerName, scaler: -3, unit: 'm3' }] } }
  const short = compact('0202', '09083132333435363738', '0600012345')
  t.match(
    decodePush(by.frame(pushed(short)), timeless),
    { ok: true, value: { readings: [reading(by.now, 74565n)] } },
    'without any clock it is now'
  )
  const notified = pushed(short, compact('0c', '07ea0b17ff 00 00 00 00 ff4c 00'))
  t.match(decodePush(by.frame(notified), timeless), { ok: true, value: { readings: [reading(midnight, 74565n)] } })
  t.end()
})

t.test('pushes that do not hold together have a code', (t) => {
  const other = pushed(cells.replace('3132333435363738', '3132333435363739'))
  const cases: readonly (readonly [string, string, Uint8Array, unknown?])[] = [
    ['bytes behind it', 'DLMS_TRAILING', by.frame(`${pushed(cells)}00`)],
    ['half of it', 'DLMS_TRUNCATED', by.frame(pushed(cells).slice(0, -4))],
    ['another APDU', 'DLMS_UNEXPECTED', by.frame(by.serial)],
    ['a column too many', 'DLMS_CAPTURES', by.frame(pushed(compact('0204', cells.slice(4), '1100')))],
    ['two meters', 'DLMS_IDENTITY', Buffer.concat([by.frame(pushed(cells)), by.frame(other)])],
    ['a profile without push', 'DLMS_PROFILE', by.frame(pushed(cells)), open],
    [
      'a meter whose profile is ciphered',
      'DLMS_KEY',
      by.frame(pushed(cells)),
      { ...pushing, association: { client: 1, protection: 'both' } }
    ]
  ]
  for (const [name, code, bytes, profile] of cases) t.match(decodePush(bytes, profile ?? pushing), { ok: false, error: { code } }, name)
  t.end()
})

const keys: MeterKeys = { name: 'K', version: 1, secrets: { encryption: globalKey, authentication: authenticationKey } }
/** general-glo-ciphering: the sender's system title in front of what a glo- APDU has. */
const general = (counter: number, plain: string): string => {
  const sealed = seal(0xdb, counter, Buffer.from(plain, 'hex')).toString('hex')
  return `db08${meterTitle.toString('hex')}${sealed.slice(2)}`
}

t.test('a ciphered push is opened with the keys, each counter once, and not taken in the open', (t) => {
  const profile = { ...pushing, association: { client: 1, protection: 'both' } }
  t.match(decodePush(by.frame(general(7, pushed(cells))), profile, keys), { ok: true, value: { readings: [reading(midnight, 74565n)] } })
  const twice = Buffer.concat([by.frame(general(7, pushed(cells))), by.frame(general(7, pushed(cells)))])
  t.match(decodePush(twice, profile, keys), { ok: false, error: { code: 'DLMS_COUNTER' } })
  t.match(decodePush(by.frame(pushed(cells)), profile, keys), { ok: false, error: { code: 'DLMS_SECURITY_LEVEL' } })
  const wrong = { ...keys, secrets: { encryption: authenticationKey, authentication: globalKey } }
  t.match(decodePush(by.frame(general(7, pushed(cells))), profile, wrong), { ok: false, error: { code: 'DLMS_WRONG_KEY_OR_DAMAGED' } })
  t.end()
})

t.test('one frame that is ciphered is opened with a key where the frame tells the rest', (t) => {
  const push = Buffer.from(general(7, pushed(cells)), 'hex')
  t.match(dlmsCodec.describeFrame(push), { ok: true, value: { security: 'suite 0, authenticated, encrypted', closed: /key/ } })
  const opened = { apdu: 'data-notification' }
  t.match(dlmsCodec.describeFrame(push, { key: globalKey }), { ok: true, value: { opened, tag: /not checked/ } })
  const both = Buffer.concat([globalKey, authenticationKey])
  t.match(dlmsCodec.describeFrame(push, { key: both }), { ok: true, value: { opened, tag: 'fits' } })
  t.match(dlmsCodec.describeFrame(push, { key: authenticationKey }), { ok: false, error: { code: 'DLMS_WRONG_KEY_OR_DAMAGED' } })
  t.match(dlmsCodec.describeFrame(push, { key: Buffer.alloc(5) }), { ok: false, error: { code: 'DLMS_KEY' } })
  const alone = seal(0xcc, 7, Buffer.from(by.serial, 'hex'))
  t.match(dlmsCodec.describeFrame(alone, { key: globalKey }), { ok: true, value: { closed: /system title/ } })
  const readable = Buffer.from(compact('cc 1f 10 00000007', by.serial, '000000000000000000000000'), 'hex')
  t.match(dlmsCodec.describeFrame(readable), { ok: true, value: { opened: { apdu: 'get-response-normal' }, tag: /not checked/ } })
  t.end()
})

t.test('a profile that contradicts itself says where', (t) => {
  const association = (more: object) => ({ ...open, association: { client: 1, ...more } })
  const value = { obis: registerName, scaler: -3, unit: 'm3' }
  const cases: readonly (readonly [unknown, readonly string[]])[] = [
    [by.profile, []],
    [pushing, []],
    [association({ authentication: 'hls-gmac', counter: '0-0:43.1.0*255' }), []],
    [association({ counter: '0-0:43.1.0*255' }), ['/association/counter']],
    [association({ authentication: 'lls', dedicatedKey: true, general: true }), ['/association/dedicatedKey', '/association/general']],
    [association({ protection: 'authenticated', dedicatedKey: true }), ['/association/dedicatedKey']],
    [association({ protection: 'both', counter: '0-0:43.1.0*256' }), ['/association/counter']],
    [{ ...open, registers: [...open.registers, ...open.registers] }, ['/registers/1/obis']],
    [buffer({ captures: ['ignore', registerName] }), ['/profileBuffer/captures']],
    [buffer({ captures: ['clock', registerName, registerName] }), ['/profileBuffer/captures/2']],
    [buffer({ captures: ['clock', '8-0:9.0.0*255'] }), ['/profileBuffer/captures/1']],
    [{ ...open, push: { captures: [value] } }, ['/push/captures']],
    [{ ...open, push: { captures: ['identity'] } }, ['/push/captures']],
    [{ ...open, push: { captures: ['identity', { obis: registerName }] } }, ['/push/captures/1']],
    [{ ...open, push: { captures: ['identity', value, { scalerUnit: registerName }] } }, ['/push/captures/1']],
    [{ ...open, push: { captures: ['identity', value, { scaler: 1 }] } }, ['/push/captures/2']],
    [{ ...open, registers: [{ ...open.registers[0], invalid: ['0xFF', '0x0', '0x00ff'] }] }, ['/registers/0/invalid/2']],
    ['no profile', []]
  ]
  for (const [profile, paths] of cases) {
    t.same(
      dlmsCodec.checkProfile(profile).map((problem) => problem.path),
      paths,
      paths.join(', ') || 'fits'
    )
  }
  t.end()
})
