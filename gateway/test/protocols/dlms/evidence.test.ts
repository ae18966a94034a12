import t from 'tap'
import { dlmsCodec } from '../../../src/protocols/dlms/codec/index.js'
import * as by from './peer.js'

const zone = 'Europe/Istanbul'

interface Said {
  readonly script?: readonly (readonly [string, string])[]
  readonly profile?: unknown
  /** answers that come behind those of the script */
  readonly more?: readonly string[]
}

/** Decodes a conversation written down in hex. */
function decode({ script = by.current, profile = by.profile, more = [] }: Said) {
  const request = Buffer.concat(script.map(([each]) => by.frame(each, 16, 1)))
  const answers = [...script.map(([, each]) => each), ...more].filter((each) => each !== '')
  const response = Buffer.concat(answers.map((each) => by.frame(each)))
  return dlmsCodec.decodeEvidence({ request, response, at: by.now, profile, zone })
}

/** The conversation with one answer replaced. */
function saying(request: string, answer: string, script = by.current): readonly (readonly [string, string])[] {
  return script.map(([each, usual]) => [each, each === request ? answer : usual] as const)
}

function codeOf(said: Said): string {
  const decoded = decode(said)
  return decoded.ok ? 'decoded' : decoded.error.code
}

function onlyReading(said: Said) {
  const decoded = decode(said)
  const reading = decoded.ok ? decoded.value.readings[0] : undefined
  return reading === undefined ? decoded : { raw: reading.raw, scaler: reading.scaler, unit: reading.unit }
}

t.test('raw, scaler and unit are as the meter sent them', (t) => {
  t.same(onlyReading({}), { raw: 74565n, scaler: -3, unit: 'm3' })
  const units = { '0e': 'm3', '13': 'L', '19': 'J', '1e': 'Wh' }
  for (const [code, unit] of Object.entries(units)) {
    t.same(onlyReading({ script: saying(by.getScale, `c401c20002020f0616${code}`) }), { raw: 74565n, scaler: 6, unit }, unit)
  }
  const largest = 'c401c300150de0b6b3a763ffff'
  t.same(onlyReading({ script: saying(by.getValue, largest) }), { raw: 999_999_999_999_999_999n, scaler: -3, unit: 'm3' }, '18 digits')
  t.same(onlyReading({ script: saying(by.getValue, 'c401c30014ffffffffffffffff') }), { raw: -1n, scaler: -3, unit: 'm3' })
  t.end()
})

t.test('a number on the dial may be text, padded text, bytes or an integer', (t) => {
  const ids = {
    c401c10009083132333435363738: '12345678',
    'c401c1000a0a4142433132330000 2020': 'ABC123',
    c401c10009040102ff00: '0102ff00',
    c401c10006075bcd15: '123456789'
  }
  for (const [answer, id] of Object.entries(ids)) {
    const decoded = decode({ script: saying(by.getSerial, answer.replaceAll(' ', '')) })
    t.equal(decoded.ok ? decoded.value.identity.id : decoded.error.code, id)
  }
  t.equal(codeOf({ script: saying(by.getSerial, 'c401c100090420202020') }), 'DLMS_IDENTITY', 'only blanks')
  t.equal(codeOf({ script: saying(by.getSerial, 'c401c1000301') }), 'DLMS_IDENTITY', 'a boolean')
  t.end()
})

t.test('a conversation that does not hold together has a code', (t) => {
  const cases: readonly (readonly [string, string, Said])[] = [
    ['no answers', 'DLMS_INCOMPLETE', { script: by.current.map(([request]) => [request, ''] as const) }],
    ['no association', 'DLMS_INCOMPLETE', { script: by.current.slice(1) }],
    ['nothing at all', 'DLMS_INCOMPLETE', { script: [] }],
    ['no answer for the value', 'DLMS_INCOMPLETE', { script: by.current.slice(0, 3) }],
    ['answers changed places', 'DLMS_INVOKE_ID', { script: saying(by.getScale, by.value) }],
    ['more answers than requests', 'DLMS_UNEXPECTED', { more: [by.rlre] }],
    ['a float counter', 'DLMS_VALUE', { script: saying(by.getValue, 'c401c300173f800000') }],
    ['a counter of more digits than any has', 'DLMS_VALUE', { script: saying(by.getValue, 'c401c300150de0b6b3a7640000') }],
    ['a counter that is null-data', 'DLMS_VALUE', { script: saying(by.getValue, 'c401c30000') }],
    ['a scaler that no counter has', 'DLMS_UNIT', { script: saying(by.getScale, 'c401c20002020ff3160d') }],
    ['a scaler_unit that is none', 'DLMS_VALUE', { script: saying(by.getScale, 'c401c2000600000001') }],
    ['a unit that nobody bills', 'DLMS_UNIT', { script: saying(by.getScale, 'c401c20002020ffd1621') }],
    ['a refused register', 'DLMS_ACCESS', { script: saying(by.getValue, 'c401c3010b') }],
    [
      'a profile with a column too many',
      'DLMS_CAPTURES',
      { script: by.history, profile: withCaptures(['clock', 'ignore', '8-0:1.0.0*255']) }
    ]
  ]
  for (const [name, code, said] of cases) t.equal(codeOf(said), code, name)
  t.end()
})

function withCaptures(captures: readonly string[]) {
  return { ...by.profile, profileBuffer: { obis: '1-0:99.2.0*255', captures } }
}

t.test('a profile that overlaps or contradicts itself is refused', (t) => {
  const register = { obis: '8-0:1.0.0*255', class: 3 }
  const wrong: readonly (readonly [string, unknown])[] = [
    ['no profile', null],
    ['another protocol', { ...by.profile, protocol: 'mbus' }],
    ['an unknown key', { ...by.profile, colour: 'blue' }],
    ['a register twice', { ...by.profile, registers: [register, register] }],
    ['a group above 255', { ...by.profile, registers: [{ obis: '8-0:1.0.0*256', class: 3 }] }],
    ['a load profile without clock', withCaptures(['ignore', '8-0:1.0.0*255'])],
    ['a column that is no register', withCaptures(['clock', '8-0:2.0.0*255'])],
    ['a column twice', withCaptures(['clock', '8-0:1.0.0*255', '8-0:1.0.0*255'])]
  ]
  for (const [name, profile] of wrong) t.equal(codeOf({ profile }), 'DLMS_PROFILE', name)
  t.end()
})

t.test('no change of one byte in a conversation is more than a value or a code', (t) => {
  const request = Buffer.concat(by.history.map(([each]) => by.frame(each, 16, 1)))
  const response = Buffer.concat(by.history.map(([, each]) => by.frame(each)))
  let refused = 0
  for (let at = 0; at < response.length; at += 1) {
    for (const flip of [0x01, 0x80, 0xff]) {
      const changed = Buffer.from(response)
      changed[at] = (changed[at] ?? 0) ^ flip
      const decoded = dlmsCodec.decodeEvidence({ request, response: changed, at: by.now, profile: by.profile, zone })
      if (decoded.ok) continue
      refused += 1
      if (!decoded.error.code.startsWith('DLMS_')) t.fail(decoded.error.code)
    }
    const cut = dlmsCodec.decodeEvidence({ request, response: response.subarray(0, at), at: by.now, profile: by.profile, zone })
    // Up to the release response nothing may be missing; without it the conversation is whole.
    const whole = at === response.length - by.frame(by.rlre).length
    if (cut.ok !== whole) t.fail(`${at} of ${response.length} bytes`)
  }
  t.ok(refused > response.length, `${refused} of ${3 * response.length} changes are seen`)
  t.end()
})

t.test('a frame is described in plain JSON', (t) => {
  const described = dlmsCodec.describeFrame(by.frame(by.value))
  t.same(JSON.parse(JSON.stringify(described)), {
    ok: true,
    value: {
      protocol: 'dlms',
      apdu: 'get-response-normal',
      invoke: 0xc3,
      data: { type: 'double-long-unsigned', value: '74565' },
      wrapper: { source: 1, destination: 16 }
    }
  })
  const refused = dlmsCodec.describeFrame(Buffer.from('c401c1010400', 'hex'))
  t.match(refused, { ok: false, error: { code: 'DLMS_TRAILING', offset: 5 } })
  t.match(dlmsCodec.describeFrame(Buffer.from('c401c10104', 'hex')), { ok: true, value: { error: { code: 4, name: 'object-undefined' } } })
  t.match(dlmsCodec.describeFrame(Buffer.from('7ea00802232193bd647e', 'hex')), { ok: true, value: { hdlc: { kind: 'SNRM', final: true } } })
  t.match(dlmsCodec.describeFrame(Buffer.alloc(0)), { ok: false, error: { code: 'DLMS_TRUNCATED' } })
  t.end()
})
