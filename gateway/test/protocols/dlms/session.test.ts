import { obis } from '@endeks/domain/metering'
import { epochMs } from '@endeks/domain/time'
import t from 'tap'
import { type Apdu, decodeApdu, encodeApdu } from '../../../src/protocols/dlms/codec/apdu.js'
import { conformance } from '../../../src/protocols/dlms/codec/conformance.js'
import { DlmsFault } from '../../../src/protocols/dlms/codec/fault.js'
import { parseProfile } from '../../../src/protocols/dlms/codec/profile.js'
import { encodeData } from '../../../src/protocols/dlms/codec/value.js'
import { execute, set, setClock } from '../../../src/protocols/dlms/commands.js'
import { entriesSince, read } from '../../../src/protocols/dlms/reading.js'
import { type Dialogue, getAll, type Session } from '../../../src/protocols/dlms/session.js'
import * as by from './peer.js'

/** Answers a dialogue from what is written beside its requests in hex, and remembers what was asked. */
function hold<Value>(dialogue: Dialogue<Value>, script: Readonly<Record<string, string>>): { value: Value; asked: string[] } {
  const asked: string[] = []
  let step = dialogue.next()
  while (!step.done) {
    const request = Buffer.from(encodeApdu(step.value)).toString('hex')
    asked.push(request)
    const said = script[request]
    if (said === undefined) throw new Error(`nobody answers ${request}`)
    step = dialogue.next(decoded(said))
  }
  return { value: step.value, asked }
}

function decoded(hex: string): Apdu {
  const apdu = decodeApdu(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
  if (!apdu.ok) throw new Error(apdu.error.message)
  return apdu.value
}

const blocks = ['block-transfer-with-set-or-write', 'block-transfer-with-action'] as const
const everything = conformance('get', 'set', 'action', 'selective-access', 'multiple-references', ...blocks)

function session(granted = everything, maxPduSize = 512): Session {
  let id = 0
  return { association: { conformance: granted, maxPduSize }, invoke: () => 0xc0 | (++id & 0x0f) }
}

function codeOf(work: () => unknown): string {
  try {
    work()
  } catch (thrown) {
    if (thrown instanceof DlmsFault) return thrown.code
    throw thrown
  }
  return 'done'
}

const serialName = '0001 0000600100ff 02 00'
const scaleName = '0003 0800010000ff 03 00'
const valueName = '0003 0800010000ff 02 00'
const compact = (...parts: readonly string[]): string => parts.join('').replaceAll(' ', '')
const list = compact('c003c1 03', serialName, scaleName, valueName)
const listed = compact('c403c1 03 00 09083132333435363738 00 02020ffd160d 00 0600012345')
const { profileBuffer, ...open } = by.profile
const current = { profile: parseProfile(open), zone: 'Europe/Istanbul', want: { kind: 'current' }, now: by.now } as const

t.test('a meter that grants lists is asked once', (t) => {
  t.same(hold(read(session(), current), { [list]: listed }).asked, [list])
  t.end()
})

t.test('a list that comes in blocks, one with a refusal in it, and one that is refused as a whole', (t) => {
  const results = compact('03 00 09083132333435363738 00 02020ffd160d 00 0600012345')
  const half = 24
  const inBlocks = {
    [list]: compact('c402c1 00 00000001 00', (half / 2).toString(16).padStart(2, '0'), results.slice(0, half)),
    c002c100000001: compact('c402c1 01 00000002 00', ((results.length - half) / 2).toString(16).padStart(2, '0'), results.slice(half))
  }
  t.equal(hold(read(session(), current), inBlocks).asked.length, 2)
  const refusing = compact('c403c1 03 00 09083132333435363738 00 02020ffd160d 0103')
  t.equal(
    codeOf(() => hold(read(session(), current), { [list]: refusing })),
    'DLMS_ACCESS'
  )
  t.equal(
    codeOf(() => hold(read(session(), current), { [list]: 'c401c101fa' })),
    'DLMS_ACCESS'
  )
  const short = compact('c403c1 02 00 09083132333435363738 00 02020ffd160d')
  t.equal(
    codeOf(() => hold(read(session(), current), { [list]: short })),
    'DLMS_VALUE'
  )
  t.equal(
    codeOf(() => hold(read(session(), current), { [list]: listed.replace('c403c1', 'c403c2') })),
    'DLMS_INVOKE_ID'
  )
  t.end()
})

t.test('lists are as long as the meter takes them', (t) => {
  const reference = { class: 1, obis: obis('0-0:96.1.0*255'), attribute: 2 }
  const sizes = (maxPduSize: number): number[] => {
    const asked: number[] = []
    const dialogue = getAll(
      session(undefined, maxPduSize),
      Array.from({ length: 12 }, () => reference)
    )
    let step = dialogue.next()
    while (!step.done) {
      const request = step.value
      const count = request.apdu === 'get-request-with-list' ? request.attributes.length : 1
      asked.push(count)
      const invoke = 'invoke' in request ? request.invoke : 0
      const data = { data: { type: 'unsigned', value: 1 } } as const
      step = dialogue.next(
        request.apdu === 'get-request-with-list'
          ? { apdu: 'get-response-with-list', invoke, results: request.attributes.map(() => data) }
          : { apdu: 'get-response-normal', invoke, result: data }
      )
    }
    return asked
  }
  t.same(sizes(0), [10, 2])
  t.same(sizes(512), [10, 2])
  t.same(sizes(100), [6, 6])
  t.same(sizes(64), [2, 2, 2, 2, 2, 2])
  t.same(sizes(50), Array(12).fill(1))
  t.end()
})

t.test('rows are asked for by place where the clock does not choose them', (t) => {
  const day = 86_400_000
  const now = epochMs(100 * day)
  const facts = { inUse: 40, periodMs: day, sortMethod: 1 }
  t.same(entriesSince(facts, epochMs(97 * day), now), { from: 37, to: 40 }, 'oldest first: the last ones')
  t.same(entriesSince({ ...facts, sortMethod: 2 }, epochMs(97 * day), now), { from: 1, to: 4 }, 'newest first: the first ones')
  t.same(entriesSince({ ...facts, sortMethod: 3 }, epochMs(97 * day), now), { from: 1, to: 40 }, 'by size: all')
  t.same(entriesSince({ ...facts, periodMs: 0 }, epochMs(97 * day), now), { from: 1, to: 40 }, 'captured by something else: all')
  t.same(entriesSince(facts, epochMs(0), now), { from: 1, to: 40 }, 'more than there are')
  t.same(entriesSince(facts, epochMs(101 * day), now), { from: 40, to: 40 })
  t.equal(entriesSince({ ...facts, inUse: 0 }, epochMs(0), now), undefined)
  t.end()
})

const plain = conformance('get', 'selective-access')
const history = (access: string) => ({
  profile: parseProfile({ ...open, profileBuffer: { ...profileBuffer, access } }),
  zone: 'Europe/Istanbul',
  want: { kind: 'history', since: by.sinceInstant } as const,
  now: by.now
})
const bufferName = '0007 0100630200ff'
const facts = (first: number): Record<string, string> => ({
  [compact(`c001c${first}`, bufferName, '07 00')]: `c401c${first}000600000028`,
  [compact(`c001c${first + 1}`, bufferName, '04 00')]: `c401c${first + 1}000600015180`,
  [compact(`c001c${first + 2}`, bufferName, '05 00')]: `c401c${first + 2}001601`
})
const until = Object.fromEntries([...by.current.slice(1, -1), [by.getCaptures, by.captures]])
/** Four days are five rows: 36 to 40 of 40. */
const byPlace = (invoke: number): string => compact(`c001c${invoke}`, bufferName, '02 01 02 0204 06 00000025 06 00000028 12 0001 12 0000')

t.test('a profile may ask for entries, and a meter that refuses a range is asked for them', (t) => {
  const entries = hold(read(session(plain), history('entries')), { ...until, ...facts(5), [byPlace(8)]: 'c401c8000100' })
  t.equal(entries.asked.at(-1), byPlace(8))
  const range = { ...until, [by.getBuffer]: 'c401c5010d', ...facts(6), [byPlace(9)]: 'c401c9000100' }
  t.equal(hold(read(session(plain), history('range')), range).asked.at(-1), byPlace(9))
  t.equal(
    codeOf(() => hold(read(session(plain), history('range')), { ...until, [by.getBuffer]: 'c401c50103' })),
    'DLMS_ACCESS'
  )
  const whole = compact('c001c5', bufferName, '02 00')
  t.equal(hold(read(session(plain), history('whole')), { ...until, [whole]: 'c401c5000100' }).asked.at(-1), whole)
  t.end()
})

t.test('columns that contradict the profile end the read before the rows are asked for', (t) => {
  const turned = { ...until, [by.getCaptures]: by.captures.replace('120003', '120004') }
  t.equal(
    codeOf(() => hold(read(session(plain), history('range')), turned)),
    'DLMS_CAPTURES'
  )
  const refused = { ...until, [by.getCaptures]: 'c401c40103', [by.getBuffer]: 'c401c5000100' }
  t.equal(hold(read(session(plain), history('range')), refused).asked.at(-1), by.getBuffer, 'a meter that hides them is believed')
  t.end()
})

t.test('a clock is set to local time with its deviation', (t) => {
  const request = compact('c101c1 0008 0000010000ff 02 00 090c 07ea0b18ff 0d141e00 ff4c 00')
  hold(setClock(session(), { at: by.now, zone: 'Europe/Istanbul' }), { [request]: 'c501c100' })
  t.equal(
    codeOf(() => hold(setClock(session(), { at: by.now, zone: 'Europe/Istanbul' }), { [request]: 'c501c103' })),
    'DLMS_ACCESS'
  )
  t.equal(
    codeOf(() => hold(setClock(session(), { at: by.now, zone: 'Europe/Istanbul' }), { [request]: 'd80101' })),
    'DLMS_EXCEPTION'
  )
  t.end()
})

const note = { class: 1, obis: obis('0-0:96.1.1*255'), attribute: 2 }
const text = { type: 'octet-string', value: new Uint8Array(30).fill(0x55) } as const
const encoded = Buffer.from(encodeData(text)).toString('hex')

/** Blocks of what a PDU of 64 bytes leaves: 4 bytes. */
const size = 8
const pieces = encoded.match(new RegExp(`.{1,${size}}`, 'g')) ?? []
const blockOf = (index: number): string =>
  compact(
    index === pieces.length - 1 ? '01' : '00',
    (index + 1).toString(16).padStart(8, '0'),
    (pieces[index]?.length ?? 0) / 2 === 4 ? '04' : '02',
    pieces[index] ?? ''
  )

t.test('a value that does not fit goes in blocks', (t) => {
  const requests = pieces.map((_piece, index) =>
    index === 0 ? compact('c102c1', '0001 0000600101ff 02 00', blockOf(0)) : compact('c103c1', blockOf(index))
  )
  const answers = requests.map((_request, index) =>
    index === requests.length - 1
      ? compact('c503c1 00', '0000000', (index + 1).toString(16))
      : compact('c502c1', (index + 1).toString(16).padStart(8, '0'))
  )
  const script = Object.fromEntries(requests.map((request, index) => [request, answers[index] ?? '']))
  t.same(hold(set(session(undefined, 64), note, text), script).asked, requests)
  const [first = ''] = requests
  t.equal(
    codeOf(() => hold(set(session(plain, 64), note, text), script)),
    'DLMS_CONFORMANCE',
    'where the meter grants no blocks'
  )
  t.equal(
    codeOf(() => hold(set(session(undefined, 64), note, text), { ...script, [first]: 'c502c100000002' })),
    'DLMS_BLOCK'
  )
  t.equal(
    codeOf(() => hold(set(session(undefined, 64), note, text), { ...script, [first]: 'c503c10300000001' })),
    'DLMS_ACCESS'
  )
  t.equal(
    codeOf(() => hold(set(session(undefined, 64), note, text), { ...script, [first]: 'c502c200000001' })),
    'DLMS_INVOKE_ID'
  )
  t.end()
})

t.test('a method is executed, gives back what it gives, and is refused with its reason', (t) => {
  const valve = { class: 70, obis: obis('0-0:96.3.10*255'), method: 1 }
  const parameters = { type: 'integer', value: 0 } as const
  const request = compact('c301c1 0046 000060030aff 01 01 0f00')
  t.equal(hold(execute(session(), valve, parameters), { [request]: 'c701c10000' }).value, undefined)
  t.same(hold(execute(session(), valve, parameters), { [request]: 'c701c10001001105' }).value, { type: 'unsigned', value: 5 })
  t.equal(
    codeOf(() => hold(execute(session(), valve, parameters), { [request]: 'c701c10300' })),
    'DLMS_ACCESS'
  )
  t.equal(
    codeOf(() => hold(execute(session(), valve, parameters), { [request]: 'c701c20000' })),
    'DLMS_INVOKE_ID'
  )
  const without = compact('c301c1 0046 000060030aff 01 00')
  t.equal(hold(execute(session(), valve), { [without]: 'c701c10000' }).asked.length, 1)
  const long = pieces.map((_piece, index) =>
    index === 0 ? compact('c304c1', '0046 000060030aff 01', blockOf(0)) : compact('c306c1', blockOf(index))
  )
  const script = Object.fromEntries(
    long.map((each, index) => [
      each,
      index === long.length - 1 ? 'c701c10000' : compact('c704c1', (index + 1).toString(16).padStart(8, '0'))
    ])
  )
  t.same(hold(execute(session(undefined, 64), valve, text), script).asked, long)
  t.end()
})
