import { obis } from '@endeks/domain/metering'
import t, { type Test } from 'tap'
import { DlmsFault } from '../../../src/protocols/dlms/codec/fault.js'
import { dlmsProtocol } from '../../../src/protocols/dlms/driver.js'
import { ask } from '../../../src/protocols/dlms/probing.js'
import { ReadFailure } from '../../../src/protocols/protocol.js'
import { memoryCounters } from '../../support/memory-counters.js'
import * as by from './peer.js'

/** Probes and scans of a meter that knows bytes only: what it does not answer here it does not answer. */
const compact = (...parts: readonly string[]): string => parts.join('').replaceAll(' ', '')
const object = (objectClass: string, name: string): string => `0204 12${objectClass} 1100 0906${name} 02020100 0100`
const listed = (...objects: readonly string[]): string => compact(`01 ${objects.length.toString(16).padStart(2, '0')}`, ...objects)
const register = object('0003', '0800010000ff')
const clockObject = object('0008', '0000010000ff')
const serialObject = object('0001', '0000600100ff')

const get = (id: string, name: string, attribute: string): string => compact(`c001c${id}`, name, attribute, '00')
const put = (id: string, data: string): string => compact(`c401c${id} 00`, data)
const names = {
  device: '0001 00002a0000ff',
  serial: '0001 0000600100ff',
  association: '000f 0000280000ff',
  register: '0003 0800010000ff',
  clock: '0008 0000010000ff'
} as const

const who: readonly (readonly [string, string])[] = [
  [by.aarq, by.aare],
  [get('1', names.device, '02'), put('1', '0910 4b414d30303030303132333435363738')],
  [get('2', names.serial, '02'), put('2', '0908 3132333435363738')]
]

async function setUp(t: Test, script: readonly (readonly [string, string])[], more: Readonly<Record<string, unknown>> = {}) {
  const answers = [...script, [by.rlrq, by.rlre] as const].map(([request, said]) => [request, by.says(said)] as const)
  const peer = await by.startPeer(new Map(answers))
  const place = { host: '127.0.0.1', port: peer.port, attempts: 1, ...more }
  const bus = dlmsProtocol.open(place, { clock: { now: () => by.now }, answerWithinMs: 150, counters: memoryCounters() })
  t.teardown(async () => {
    await bus.close()
    await peer.close()
  })
  return bus
}

const profile = (name: string, more: object = {}) => ({ name, value: { ...by.profile, name, profileBuffer: undefined, ...more } })
const asWritten = ({ name, value }: { name: string; value: object }) => ({ name, value: JSON.parse(JSON.stringify(value)) as unknown })
const profiles = [
  profile('of-others', { device: { manufacturer: 'ITR' } }),
  profile('plain'),
  profile('of-the-maker', { device: { manufacturer: 'KAM' } }),
  profile('another-register', { registers: [{ obis: '7-0:3.0.0*255', class: 3 }] }),
  profile('broken', { registers: [] }),
  profile('keyed', { association: { client: 1, protection: 'both' } })
].map(asWritten)
const job = () => ({ address: '1', zone: 'UTC', profiles, signal: new AbortController().signal })

t.test('a probe reads the object list, asks what is worth asking, and passes over an answer that is none', async (t) => {
  const bus = await setUp(t, [
    ...who,
    [get('3', names.association, '02'), put('3', listed(serialObject, clockObject, register))],
    [get('4', names.serial, '02'), put('4', '0908 3132333435363738')],
    // Bytes behind the value, as one maker's clock has them.
    [get('5', names.clock, '02'), put('5', '090c 07ea0b18ff 0d141e00 8000 00 090c')],
    [get('6', names.register, '02'), put('6', '06 00012345')],
    [get('7', names.register, '03'), put('7', '02020ffd160d')]
  ])
  const finding = await bus.probe(job())
  t.same(finding.identity, { id: '12345678', manufacturer: 'KAM' })
  t.same(finding.offers, [
    'Data 0-0:96.1.0*255, value 12345678',
    'Clock 0-0:1.0.0*255',
    'Register 8-0:1.0.0*255, value 74565, scaler_unit 10^-3 m3'
  ])
  t.same(finding.profiles, ['of-the-maker', 'plain'])
  t.ok(finding.request.length > 0 && finding.response.length > 0)
})

t.test('where no profile fits, it is told as which client nobody asked for want of a key', async (t) => {
  const bus = await setUp(t, [
    ...who,
    [get('3', names.association, '02'), put('3', listed(serialObject))],
    [get('4', names.serial, '02'), 'c401c40103']
  ])
  const { offers, profiles } = await bus.probe(job())
  t.same(profiles, [])
  t.match(offers.at(-1), /^not asked as client 1 .*protection both/)
})

// A server of another maker says its clock twice in one answer, also in a ciphered one whose tag fits.
t.test('an answer that is none is passed over behind a cipher too, one that may be forged is not', (t) => {
  const asking = () => {
    const session = { association: { conformance: 0, maxPduSize: 0 }, invoke: () => 0xc1 }
    const dialogue = ask(session, { class: 8, obis: obis('0-0:1.0.0*255'), attribute: 2 })
    dialogue.next()
    return dialogue
  }
  t.same(asking().throw(new DlmsFault('DLMS_DECIPHERED', 'bytes are left over')), { done: true, value: undefined })
  t.throws(() => asking().throw(new DlmsFault('DLMS_WRONG_KEY_OR_DAMAGED', 'the tag does not fit')), { code: 'DLMS_WRONG_KEY_OR_DAMAGED' })
  t.end()
})

t.test('a meter that hides its list is asked for each object by name', async (t) => {
  const bus = await setUp(t, [
    ...who,
    [get('3', names.association, '02'), 'c401c30103'],
    [get('4', names.serial, '01'), put('4', '0906 0000600100ff')],
    [get('5', names.register, '01'), put('5', '0906 0800010000ff')],
    [get('6', '0003 0700030000ff', '01'), 'c401c60104'],
    [get('7', names.serial, '02'), 'c401c70103'],
    [get('8', names.register, '02'), 'c401c80103'],
    [get('9', names.register, '03'), 'c401c90103']
  ])
  const finding = await bus.probe(job())
  t.same(finding.offers, ['no object list', 'Data 0-0:96.1.0*255', 'Register 8-0:1.0.0*255'])
  t.same(finding.profiles, ['of-the-maker', 'plain'])
})

t.test('a meter that refuses strangers, or is not there, fails as a read does', async (t) => {
  const codeOf = async (finding: Promise<unknown>): Promise<string> => {
    try {
      await finding
    } catch (thrown) {
      if (thrown instanceof ReadFailure) return thrown.code
      throw thrown
    }
    return 'found'
  }
  const refused = by.aare.replace('a203020100a305a103020100', 'a203020101a305a10302010d')
  t.equal(await codeOf((await setUp(t, [[by.aarq, refused]])).probe(job())), 'DLMS_ASSOCIATION_REFUSED')
  t.equal(await codeOf((await setUp(t, [])).probe(job())), 'DLMS_TIMEOUT')
})

t.test('a scan takes the list of the management device', async (t) => {
  const sap = (number: string, text: string) => compact(`0202 12${number} 09`, (text.length / 2).toString(16).padStart(2, '0'), text)
  const list = compact('0103', sap('0001', '4b414d31'), sap('0010', '4b414d32'), sap('0011', '000102'))
  const script: readonly (readonly [string, string])[] = [...who, [get('3', '0011 0000290000ff', '02'), put('3', list)]]
  const told: number[] = []
  const seen = []
  const scan = { signal: new AbortController().signal, progress: (tried: number) => void told.push(tried) }
  for await (const sighting of (await setUp(t, script)).scan(scan)) seen.push(sighting)
  t.same(seen, [
    { address: '1', identity: { id: '12345678', manufacturer: 'KAM' } },
    { address: '16', identity: { id: 'KAM2' } },
    { address: '17', trouble: 'its name is not text' }
  ])
  t.same(told, [1])
})

t.test('a scan without a list tries each address, and tells of trouble', async (t) => {
  const seen = []
  const refused = by.aare.replace('a203020100a305a103020100', 'a203020101a305a10302010d')
  const scan = { signal: new AbortController().signal, progress: () => undefined }
  for await (const sighting of (await setUp(t, [[by.aarq, refused]], { scan: { from: 1, to: 1 } })).scan(scan)) seen.push(sighting)
  t.match(seen, [{ address: '1', trouble: /^DLMS_ASSOCIATION_REFUSED/ }])
  t.equal(seen.length, 1)
})
