import { createLog } from '@endeks/domain/process'
import { fromIso } from '@endeks/domain/time'
import t from 'tap'
import { Acquisition } from '../../src/acquire/acquisition.js'
import { Counters } from '../../src/acquire/counters.js'
import { type EncodableRecord, encodeResponse } from '../../src/protocols/mbus/codec/index.js'
import { mbusProtocol } from '../../src/protocols/mbus/driver.js'
import type { Bus, MeterKeys } from '../../src/protocols/protocol.js'
import { Spool } from '../../src/spool/spool.js'

const now = fromIso('2026-11-24T09:00:00Z')
const zone = 'Europe/Istanbul'
const register = { obis: '8-0:1.0.0*255', quantity: 'volume', function: 'instantaneous', tariff: 0, subunit: 0, storage: 'current' }
const value = { name: 'water', protocol: 'mbus', registers: [register] }
const profile = { name: 'water', protocol: 'mbus', value, content: JSON.stringify(value), hash: 'a'.repeat(64) }
const meter = { address: '5', profile, key: undefined, everyMs: 60_000, historySince: fromIso('2026-01-01T00:00:00Z') }
const site = { name: 'mbus-1', protocol: mbusProtocol, answerWithinMs: 100, options: {}, meters: [meter] }
const volume: EncodableRecord = { quantity: 'volume', unit: 'm3', scaler: -3, value: { coding: 'bcd', size: 4, raw: 42n } }
const energy: EncodableRecord = { quantity: 'energy', unit: 'Wh', scaler: 3, value: { coding: 'bcd', size: 4, raw: 7n } }

/** A wire at whose end a meter says these records. */
function wire(records: readonly EncodableRecord[]): Pick<Bus, 'read'> {
  const identity = { id: '12345678', manufacturer: 'KAM', version: 27, medium: 'cold-water' }
  const response = encodeResponse({ address: 5, identity, access: 1, status: 0, records, moreFollow: false })
  return { read: async () => ({ request: Buffer.from('107b058016', 'hex'), response, at: now }) }
}

t.test('a meter that answers without any register of its profile has failed, and it is said with what', async (t) => {
  const lines: string[] = []
  const log = createLog('test', (line) => lines.push(line))
  const spool = await Spool.open({ directory: t.testdir(), maxBytes: 1_000_000, log })
  const counters = new Counters()
  const acquisition = new Acquisition({ spool, log, counters, clock: { now: () => now }, zone, keysOf: () => undefined })
  const { signal } = new AbortController()
  for (const kind of ['current', 'history'] as const) {
    t.equal(await acquisition.poll({ bus: wire([energy]), site, meter, kind, doubtful: false, signal }), false, kind)
  }
  t.same(counters.snapshot(), { 'failed.NO_READINGS': 2, reads: 2 })
  t.equal(spool.state.messages, 0)
  t.match(JSON.parse(lines[0] ?? ''), {
    event: 'read failed',
    code: 'NO_READINGS',
    bus: 'mbus-1',
    address: '5',
    profile: 'water',
    message: /KAM 12345678.*mbus-1.*water.*energy Wh instantaneous storage 0/
  })
  t.equal(await acquisition.poll({ bus: wire([energy, volume]), site, meter, kind: 'current', doubtful: false, signal }), true)
  t.equal(counters.get('readings'), 1)
  await spool.close()
})

t.test('a register without a value is logged with its meter, and the others of the meter are kept', async (t) => {
  const lines: string[] = []
  const log = createLog('test', (line) => lines.push(line))
  const spool = await Spool.open({ directory: t.testdir(), maxBytes: 1_000_000, log })
  const counters = new Counters()
  const acquisition = new Acquisition({ spool, log, counters, clock: { now: () => now }, zone, keysOf: () => undefined })
  const { signal } = new AbortController()
  // KAM 12345678 says 12345 for volume, and Fs for what it stored on 31 October.
  const response = Buffer.from('681f1f68080572785634122d2c1b16000000000c13452301004c13ffffffff426c5f3a' + '0016', 'hex')
  response[response.length - 2] = response.subarray(4, -2).reduce((sum, byte) => (sum + byte) & 0xff, 0)
  const stored = { ...meter.profile, value: { ...value, registers: [register, { ...register, storage: 'stored' }] } }
  const bus = { read: async () => ({ request: Buffer.from('107b058016', 'hex'), response, at: now }) }
  t.ok(await acquisition.poll({ bus, site, meter: { ...meter, profile: stored }, kind: 'current', doubtful: false, signal }))
  t.same(counters.snapshot(), { reads: 1, readings: 1, 'refused.MBUS_NO_VALUE': 1 })
  t.match(JSON.parse(lines[0] ?? ''), { event: 'value refused', code: 'MBUS_NO_VALUE', bus: 'mbus-1', address: '5', response: /ffffffff/ })
  await spool.close()
})

t.test("a meter's keys go to its bus, and their version onto the wire", async (t) => {
  const log = createLog('test', () => {})
  const spool = await Spool.open({ directory: t.testdir(), maxBytes: 1_000_000, log })
  const keys = { name: 'k', version: 3, secrets: { encryption: new Uint8Array(16) } }
  const acquisition = new Acquisition({
    spool,
    log,
    counters: new Counters(),
    clock: { now: () => now },
    zone,
    keysOf: (name) => (name === 'k' ? keys : undefined)
  })
  const given: (MeterKeys | undefined)[] = []
  const bus: Pick<Bus, 'read'> = {
    read: (job) => {
      given.push(job.keys)
      return wire([volume]).read(job)
    }
  }
  const { signal } = new AbortController()
  const keyed = { ...meter, key: 'k' }
  t.ok(await acquisition.poll({ bus, site, meter: keyed, kind: 'current', doubtful: false, signal }))
  t.ok(await acquisition.poll({ bus, site, meter, kind: 'current', doubtful: false, signal }))
  t.same(given, [keys, undefined])
  const messages = (await spool.range('live', { first: 1, last: 9, limit: 9 })).map(
    ({ text }) => JSON.parse(text) as { exchanges: { keyVersion: number }[] }
  )
  t.same(
    messages.flatMap(({ exchanges }) => exchanges.map(({ keyVersion }) => keyVersion)),
    [3, 0]
  )
  await spool.close()
})
