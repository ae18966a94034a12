import { existsSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { readDateTime, writeDateTime } from '../../../src/protocols/dlms/codec/date-time.js'
import {
  type Apdu,
  decodeApdu,
  decodeData,
  decodeHdlcFrame,
  encodeApdu,
  encodeData,
  encodeHdlcFrame,
  encodeWrapper,
  fromInstant,
  OpenGet,
  readLlc,
  toInstant,
  WrapperAssembler,
  writeLlc
} from '../../../src/protocols/dlms/codec/index.js'
import { ByteReader } from '../../../src/protocols/dlms/codec/reader.js'
import { ByteWriter } from '../../../src/protocols/dlms/codec/writer.js'

/** The repository's root lies five folders above the compiled test; the vectors lie beside the repository. */
const vectors = resolve(dirname(fileURLToPath(import.meta.url)), '../../../../..', '../shared/vectors')
const apdus = resolve(vectors, 'dlms-pwitab.jsonl')
const sessions = resolve(vectors, 'dlms-wrapper-sessions.json')

interface Vector {
  readonly name: string
  readonly kind: string
  readonly bytes_hex: string
  readonly must_reject: boolean
}

type Fragment = 'data' | 'chosen-data' | 'selected-data' | 'date-time'

/** Fragments that are no APDU, by what they are. Names repeat in the set, so the length tells them apart. */
const fragments: ReadonlyMap<string, Fragment> = new Map([
  ['TestAxdrDecoder.test_decode_array_and_structure/555', 'chosen-data'],
  ['test_lte_monitoring_quality_of_service/14', 'data'],
  ['test_gsm_diagnistics_cell_info/23', 'data'],
  ['TestActionRequestNormal.test_transform_bytes/19', 'data'],
  ['TestDataNotification.test_transform_bytes/36', 'data'],
  ['test_bytes_datetime_conversion/12', 'date-time'],
  ['test_range_descriptor_to_bytes/51', 'chosen-data'],
  ['test_range_descriptor_is_not_parsed/52', 'selected-data']
])

/** Keys, plain and cipher texts of security tests, and pieces of a block that begin or end inside a value. */
const notDlms: ReadonlySet<string> = new Set([
  'test_gen_glo_cipher_to_apdu/16',
  'test_encrypt/16',
  'test_encrypt/17',
  'test_encrypt_authenticated/25',
  'test_gmac/12',
  'test_gmac2/12',
  'test_gmac2/25',
  'TestInitiateRequest.test_decode_with_dedicated_key/16',
  'TestGetResponseWithBlock.test_transform_bytes/1182',
  'TestGetResponseLastBlock.test_transform_bytes/380'
])

function same(bytes: Uint8Array, hex: string): boolean {
  return Buffer.from(bytes).toString('hex') === hex
}

/** Bytes between two flags that are no frame. */
const noFrame = 'TestHdlcFrameValidation.test_frame_is_enclosed_by_hdlc_flag/6'

function hdlcOutcome(key: string, hex: string): string {
  const frame = decodeHdlcFrame(Buffer.from(hex, 'hex'))
  if (key === noFrame) return !frame.ok && frame.error.code === 'DLMS_HDLC' ? 'refused as it must be' : 'wrong'
  if (!frame.ok || !same(encodeHdlcFrame(frame.value), hex)) return 'wrong'
  const { control, segmented, information } = frame.value
  const whole = (control.kind === 'I' || control.kind === 'UI') && !segmented
  if (whole && llcOutcome(Buffer.from(information).toString('hex')) === 'wrong') return 'wrong'
  return 'HDLC frame, same bytes again'
}

function llcOutcome(hex: string): string {
  const llc = readLlc(Buffer.from(hex, 'hex'))
  const apdu = decodeApdu(llc.apdu)
  return apdu.ok && same(writeLlc({ ...llc, apdu: encodeApdu(apdu.value) }), hex) ? 'LLC and APDU, same bytes again' : 'wrong'
}

/** How one vector fared. Only "wrong" fails the test. */
function outcomeOf(vector: Vector): string {
  const bytes = Buffer.from(vector.bytes_hex, 'hex')
  const key = `${vector.name}/${bytes.length}`
  const fragment = fragments.get(key)
  if (fragment !== undefined) return fragmentOutcome(fragment, vector.bytes_hex)
  if (notDlms.has(key)) return decodeApdu(bytes).ok ? 'wrong' : 'neither APDU nor data'
  if (vector.kind === 'HDLC frame') return hdlcOutcome(key, vector.bytes_hex)
  if (vector.kind === 'LLC+APDU') return llcOutcome(vector.bytes_hex)
  const decoded = decodeApdu(bytes)
  if (decoded.ok) return same(encodeApdu(decoded.value), vector.bytes_hex) ? 'APDU, same bytes again' : 'wrong'
  if (decoded.error.code === 'DLMS_UNSUPPORTED') return 'not built yet'
  return vector.must_reject ? 'refused as it must be' : 'wrong'
}

function fragmentOutcome(fragment: Fragment, hex: string): string {
  if (fragment === 'date-time') {
    const value = readDateTime(new ByteReader(Buffer.from(hex, 'hex')))
    return same(writeDateTime(new ByteWriter(), value).finish(), hex) ? 'date-time, same bytes again' : 'wrong'
  }
  // Before the value stand the choice of a GET result or the selector of an access, or a flag and the selector.
  const rest = hex.slice({ data: 0, 'chosen-data': 2, 'selected-data': 4 }[fragment])
  const data = decodeData(Buffer.from(rest, 'hex'))
  return data.ok && same(encodeData(data.value), rest) ? 'data, same bytes again' : 'wrong'
}

t.test('public APDUs decode, and encode back to the same bytes', { skip: existsSync(apdus) ? false : `${apdus} is missing` }, (t) => {
  const lines = readFileSync(apdus, 'utf8').split('\n').filter(Boolean)
  const counts = new Map<string, number>()
  const notBuilt: string[] = []
  for (const line of lines) {
    const vector = JSON.parse(line) as Vector
    const outcome = outcomeOf(vector)
    counts.set(outcome, (counts.get(outcome) ?? 0) + 1)
    if (outcome === 'not built yet') notBuilt.push(`${vector.kind}: ${vector.name}`)
    if (outcome === 'wrong') t.fail(vector.name, { hex: vector.bytes_hex, decoded: decodeApdu(Buffer.from(vector.bytes_hex, 'hex')) })
  }
  for (const [outcome, count] of counts) t.comment(`${count} of ${lines.length}: ${outcome}`)
  for (const name of notBuilt) t.comment(`not built yet: ${name}`)
  t.same(notBuilt, [], 'every kind of the set is built')
  t.equal(counts.get('APDU, same bytes again'), 35, 'no APDU that was read is lost')
  t.equal(counts.get('HDLC frame, same bytes again'), 6, 'nor a frame')
  t.end()
})

interface Session {
  readonly scenario: string
  readonly results: Readonly<Record<string, string>>
  readonly frames: readonly { readonly dir: 'tx' | 'rx'; readonly hex: string }[]
}

function framesOf(session: Session, direction: 'tx' | 'rx') {
  const hex = session.frames.filter((frame) => frame.dir === direction).map((frame) => frame.hex)
  const bytes = Buffer.from(hex.join(''), 'hex')
  const frames = new WrapperAssembler().push(bytes)
  const again = Buffer.concat(frames.map(encodeWrapper)).toString('hex')
  return { frames, whole: again === hex.join('') }
}

/** The values of a session in order, by pairing its GETs with their answers. An answer that is not one APDU gives its code. */
function valuesOf(requests: readonly Apdu[], responses: readonly ReturnType<typeof decodeApdu>[]): string[] {
  const values: string[] = []
  let open: OpenGet | undefined
  for (const [index, request] of requests.entries()) {
    const response = responses[index]
    if (request.apdu === 'get-request-normal') open = new OpenGet(request)
    if (open === undefined || response === undefined || request.apdu === 'rlrq') continue
    if (!response.ok) {
      values.push(response.error.code)
      continue
    }
    for (const result of open.accept(response.value) ?? [])
      values.push('data' in result ? Buffer.from(encodeData(result.data)).toString('hex') : `error ${result.error}`)
  }
  return values
}

t.test(
  'captured wrapper sessions replay to what their client read',
  { skip: existsSync(sessions) ? false : `${sessions} is missing` },
  (t) => {
    const all = JSON.parse(readFileSync(sessions, 'utf8')) as Session[]
    for (const session of all.filter((each) => each.results['LDN'] !== undefined)) {
      const sent = framesOf(session, 'tx')
      const received = framesOf(session, 'rx')
      t.ok(sent.whole && received.whole, `${session.scenario}: every frame wraps to the same bytes`)
      const requests = sent.frames.map((frame) => decodeApdu(frame.apdu)).flatMap((each) => (each.ok ? [each.value] : []))
      t.equal(requests.length, sent.frames.length, `${session.scenario}: every request decodes`)
      const values = valuesOf(
        requests,
        received.frames.map((frame) => decodeApdu(frame.apdu))
      )
      const { LDN, 'Register.value': value, 'Register.scaler_unit': scalerUnit, 'Association.object_list': objects } = session.results
      // That server sends its clock twice in one answer: more bytes than the value has, so it is refused.
      t.same(values, [LDN, 'DLMS_TRAILING', value, scalerUnit, objects], `${session.scenario}: ${values.length} values`)
    }
    const ciphered = all.find((each) => each.scenario.startsWith('wrapper-HLS5'))
    if (ciphered !== undefined) {
      const codes = [...framesOf(ciphered, 'tx').frames, ...framesOf(ciphered, 'rx').frames].map((frame) => {
        const decoded = decodeApdu(frame.apdu)
        return decoded.ok ? decoded.value.apdu : decoded.error.code
      })
      t.same(codes, ['aarq', 'general-glo-ciphering', 'aare', 'general-glo-ciphering'], 'a ciphered session is known as one')
    }
    t.end()
  }
)

const dateTime = (hex: string) => readDateTime(new ByteReader(Buffer.from(hex, 'hex')))
const iso = (instant: number | undefined) => (instant === undefined ? undefined : new Date(instant).toISOString())

t.test('a deviation is what must be added to local time to get UTC', (t) => {
  t.equal(iso(toInstant(dateTime('07e40101ff00030000ff8800'), 'UTC')), '2019-12-31T22:03:00.000Z')
  t.equal(iso(toInstant(dateTime('07e40106ff00030000ffc400'), 'UTC')), '2020-01-05T23:03:00.000Z')
  t.end()
})

t.test('without a deviation the zone decides, and the summer bit tells a doubled hour apart', (t) => {
  t.equal(iso(toInstant(dateTime('07e2020cff00000000800000'), 'Europe/Istanbul')), '2018-02-11T21:00:00.000Z')
  // 27 October 2024, 02:30 in Berlin happened twice.
  t.equal(iso(toInstant(dateTime('07e80a1bff021e0000800080'), 'Europe/Berlin')), '2024-10-27T00:30:00.000Z')
  t.equal(iso(toInstant(dateTime('07e80a1bff021e0000800000'), 'Europe/Berlin')), '2024-10-27T01:30:00.000Z')
  t.equal(iso(toInstant(dateTime('07e80a1bff02ffffff8000ff'), 'Europe/Berlin')), undefined, 'a minute that is not specified')
  t.equal(iso(toInstant(dateTime('07e80a1bff0205ffff8000ff'), 'Europe/Berlin')), '2024-10-27T00:05:00.000Z', 'seconds may be missing')
  t.end()
})

t.test('a date that no calendar has is no instant', (t) => {
  const wrong = {
    '31 February': '07e8021fff00000000800000',
    'any year': 'ffff0101ff00000000800000',
    'any month': '07e8ff01ff00000000800000',
    'last day of the month': '07e801feff00000000800000',
    'hour 24': '07e80101ff18000000800000',
    'a clock that calls itself invalid': '07e80101ff00000000800001',
    'a deviation of 1000 minutes': '07e80101ff0000000003e800'
  }
  for (const [name, hex] of Object.entries(wrong)) t.equal(toInstant(dateTime(hex), 'Europe/Istanbul'), undefined, name)
  t.end()
})

t.test('what a clock sends is read back to the hundredth', (t) => {
  for (const text of ['2026-11-24T10:20:30.450Z', '2024-10-27T00:30:00.000Z', '2024-10-27T01:30:00.010Z', '1999-12-31T23:59:59.990Z']) {
    for (const zone of ['Europe/Istanbul', 'Europe/Berlin', 'America/St_Johns', 'UTC']) {
      const instant = Date.parse(text) as Parameters<typeof fromInstant>[0]
      t.equal(toInstant(fromInstant(instant, zone), 'UTC'), instant, `${text} in ${zone}`)
    }
  }
  t.end()
})
