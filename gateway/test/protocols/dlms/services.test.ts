import { obis } from '@endeks/domain/metering'
import t from 'tap'
import { guarded } from '../../../src/protocols/dlms/codec/fault.js'
import { type Apdu, type DlmsData, decodeApdu, dlmsCodec, encodeApdu } from '../../../src/protocols/dlms/codec/index.js'

const hex = (value: Uint8Array) => Buffer.from(value).toString('hex')
const codeOf = (text: string) => {
  const decoded = decodeApdu(Buffer.from(text, 'hex'))
  return decoded.ok ? decoded.value.apdu : decoded.error.code
}
const clock = { class: 8, obis: obis('0-0:1.0.0*255'), attribute: 2 }
const five: DlmsData = { type: 'unsigned', value: 5 }

/** Bytes put together by hand from the abstract syntax of the Green Book 9.5, field by field. */
const byHand: readonly (readonly [string, Apdu])[] = [
  [
    'c003 c1 02 0008 0000010000ff 02 00 0008 0000010000ff 02 00',
    { apdu: 'get-request-with-list', invoke: 0xc1, attributes: [clock, clock] }
  ],
  ['c403 c1 02 00 1105 01 04', { apdu: 'get-response-with-list', invoke: 0xc1, results: [{ data: five }, { error: 4 }] }],
  ['c101 c1 0008 0000010000ff 02 00 1105', { apdu: 'set-request-normal', invoke: 0xc1, attribute: clock, value: five }],
  [
    'c102 c1 0008 0000010000ff 02 00 00 00000001 01 11',
    {
      apdu: 'set-request-with-first-datablock',
      invoke: 0xc1,
      attribute: clock,
      piece: { last: false, block: 1, raw: Uint8Array.of(0x11) }
    }
  ],
  [
    'c103 c1 01 00000002 01 05',
    { apdu: 'set-request-with-datablock', invoke: 0xc1, piece: { last: true, block: 2, raw: Uint8Array.of(5) } }
  ],
  ['c104 c1 01 0008 0000010000ff 02 00 01 1105', { apdu: 'set-request-with-list', invoke: 0xc1, attributes: [clock], values: [five] }],
  ['c501 c1 00', { apdu: 'set-response-normal', invoke: 0xc1, result: 0 }],
  ['c502 c1 00000001', { apdu: 'set-response-datablock', invoke: 0xc1, block: 1 }],
  ['c503 c1 03 00000002', { apdu: 'set-response-last-datablock', invoke: 0xc1, result: 3, block: 2 }],
  ['c505 c1 02 00 03', { apdu: 'set-response-with-list', invoke: 0xc1, results: [0, 3] }],
  [
    'c301 c1 000f 0000280000ff 01 01 1105',
    {
      apdu: 'action-request-normal',
      invoke: 0xc1,
      method: { class: 15, obis: obis('0-0:40.0.0*255'), method: 1 },
      parameters: five
    }
  ],
  ['c701 c1 00 01 00 1105', { apdu: 'action-response-normal', invoke: 0xc1, response: { result: 0, returned: { data: five } } }],
  ['c703 c1 02 00 00 0b 00', { apdu: 'action-response-with-list', invoke: 0xc1, responses: [{ result: 0 }, { result: 11 }] }],
  ['0f 40000001 00 1105', { apdu: 'data-notification', invoke: 0x4000_0001, time: undefined, body: five }],
  ['c2 00 0008 0000010000ff 02 1105', { apdu: 'event-notification-request', time: undefined, attribute: clock, value: five }]
]

t.test('services as the abstract syntax has them', (t) => {
  for (const [text, apdu] of byHand) {
    const packed = text.replaceAll(' ', '')
    t.equal(hex(encodeApdu(apdu)), packed, apdu.apdu)
    t.same(decodeApdu(Buffer.from(packed, 'hex')), { ok: true, value: apdu })
  }
  t.end()
})

t.test('a push tells its time, or that it has none', (t) => {
  const pushed = dlmsCodec.describeFrame(Buffer.from('0f400000010c07ea0b1802150000ffff4c001105', 'hex'))
  t.same(pushed, {
    ok: true,
    value: {
      protocol: 'dlms',
      apdu: 'data-notification',
      invoke: 0x4000_0001,
      time: '2026-11-24T21:00:00.**+03:00',
      body: { type: 'unsigned', value: '5' }
    }
  })
  t.equal(codeOf('0f400000010b07ea0b1802150000ffff4c1105'), 'DLMS_LENGTH', 'eleven bytes are no date-time')
  t.equal(codeOf('c201000008000001 0000ff021105'.replaceAll(' ', '')), 'DLMS_LENGTH', 'a time that is there has twelve')
  t.end()
})

t.test('what lies about its lists is refused before it costs anything', (t) => {
  t.equal(codeOf('c403c184ffffffff'), 'DLMS_TRUNCATED', 'four thousand million results')
  t.equal(codeOf('c104c1010008000001 0000ff0200021105 1105'.replaceAll(' ', '')), 'DLMS_VALUE', 'two values for one attribute')
  t.equal(codeOf('c303c1000100'), 'DLMS_VALUE', 'a parameter for no method')
  t.equal(codeOf('c306c102000000010105'), 'DLMS_TAG', 'a last-block that is neither')
  t.equal(codeOf('c307c1'), 'DLMS_TAG', 'a kind that ACTION does not have')
  t.equal(codeOf('c004c1'), 'DLMS_TAG')
  // One byte, and 65,535 values that take none: three such arrays fit into the budget of an answer, a fourth does not.
  const mostlyNothing = '00130202 01ffff00 11 0105'.replaceAll(' ', '')
  t.equal(codeOf(`c403c103${mostlyNothing.repeat(3)}`), 'get-response-with-list')
  t.equal(codeOf(`c403c104${mostlyNothing.repeat(4)}`), 'DLMS_TOO_MANY', 'values of a list are counted together')
  const target = `0008${'0000010000ff'}0201 01${mostlyNothing.slice(2)}`.replaceAll(' ', '')
  t.equal(codeOf(`c003c104${target.repeat(4)}`), 'DLMS_TOO_MANY', 'and so are the parameters of selections')
  const unfit: Apdu = { apdu: 'set-request-with-list', invoke: 1, attributes: [clock], values: [] }
  t.match(
    guarded(() => encodeApdu(unfit)),
    { ok: false, error: { code: 'DLMS_VALUE' } }
  )
  t.end()
})
