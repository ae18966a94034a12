import { fromIso } from '@endeks/domain/time'
import t, { type Test } from 'tap'
import { Line } from '../../../src/line/index.js'
import { MbusBus } from '../../../src/protocols/mbus/bus.js'
import { readResponses } from '../../../src/protocols/mbus/codec/evidence.js'
import { encodeCommand, fittingProfiles, mbusCodec } from '../../../src/protocols/mbus/codec/index.js'
import { mbusProtocol } from '../../../src/protocols/mbus/driver.js'
import type { Attempt } from '../../../src/protocols/mbus/scan.js'
import { scanBus } from '../../../src/protocols/mbus/scan.js'
import { Timing } from '../../../src/protocols/mbus/timing.js'
import type { Bus, Sighting } from '../../../src/protocols/protocol.js'
import { failureOf } from '../../support/failure-of.js'
import { memoryCounters } from '../../support/memory-counters.js'
import { acknowledge, longFrame, PeerBus, type PeerMeter, peer, type Script, telegramOf } from './bus-peer.js'

const now = fromIso('2026-11-24T09:00:00Z')
const signal = new AbortController().signal
const register = { obis: '8-0:1.0.0*255', quantity: 'volume', function: 'instantaneous', tariff: 0, subunit: 0, storage: 'current' }
const profile = { name: 'water', protocol: 'mbus', registers: [register] }
const job = { profile, zone: 'UTC', want: { kind: 'current' }, signal } as const

async function busOf(test: Test, meters: readonly PeerMeter[], answerWithinMs?: number) {
  const peers = new PeerBus(meters)
  const line = await peer(test, (request) => peers.answer(request))
  return { line, bus: open(test, line.port, answerWithinMs) }
}

function open(test: Test, port: number, answerWithinMs?: number): Bus {
  const place = { host: '127.0.0.1', port, baudRate: 38_400 }
  const bus = mbusProtocol.open(place, { clock: { now: () => now }, answerWithinMs, counters: memoryCounters() })
  test.teardown(() => bus.close())
  return bus
}

async function sightingsOf(scan: AsyncIterable<Sighting>): Promise<Sighting[]> {
  const sightings: Sighting[] = []
  for await (const sighting of scan) sightings.push(sighting)
  return sightings
}

t.test('a meter is read by its number, and its frames are the evidence', async (t) => {
  const { line, bus } = await busOf(t, [
    { address: 0, id: '12345678' },
    { address: 0, id: '12345679' }
  ])
  const exchange = await bus.read({ ...job, address: '12345679' })
  const select = '680b0b6853fd5279563412ffffffffb316'
  t.same(line.requests, ['1040fd3d16', select, '107bfd7816', '1040fd3d16'])
  t.equal(Buffer.from(exchange.request).toString('hex'), `${select}107bfd78161040fd3d16`)
  const readout = mbusCodec.decodeEvidence({ ...exchange, profile, zone: 'UTC' })
  t.match(readout, { ok: true, value: { identity: { id: '12345679' }, readings: [{ raw: 42n }] } })
  await bus.read({ ...job, address: '12345678' })
  t.equal(line.requests.length, 7, 'nobody is selected, so that the next selection comes at once')
})

t.test('a number that nobody has is silence, and a wrong device is refused', async (t) => {
  const { line, bus } = await busOf(t, [{ address: 7, id: '12345678' }], 100)
  t.equal((await failureOf(bus.read({ ...job, address: '11111111' }))).code, 'NO_ANSWER')
  t.equal((await failureOf(bus.read({ ...job, address: '12345678.ELS' }))).code, 'NO_ANSWER')
  t.ok(line.requests.length > 0)
  const liar = await peer(t, (request) => (request.startsWith('107b') ? telegramOf({ address: 7, id: '99999999' }, 0) : acknowledge))
  const failure = await failureOf(open(t, liar.port, 50).read({ ...job, address: '12345678' }))
  t.equal(failure.code, 'MBUS_FOREIGN_IDENTITY')
  t.equal(failure.message, '12345678 was selected and KAM 99999999 answered')
})

t.test('two meters of one number answer brokenly, and are read by more of their address', async (t) => {
  const { bus } = await busOf(t, [
    { address: 1, id: '12345678', rest: '2D2C1B16' },
    { address: 2, id: '12345678', rest: '2D2C1B06', telegrams: ['0C1399000000'] }
  ])
  t.match((await failureOf(bus.read({ ...job, address: '12345678' }))).code, /^MBUS_/)
  const exchange = await bus.read({ ...job, address: '12345678.*.*.6' })
  t.match(mbusCodec.decodeEvidence({ ...exchange, profile, zone: 'UTC' }), { ok: true, value: { readings: [{ raw: 99n }] } })
})

t.test('a profile may ask for an application reset, and telegrams then begin with the first one', async (t) => {
  const telegrams = ['0C13010000001F', '0C14020000001F', '02FD480100']
  const { line, bus } = await busOf(t, [{ address: 5, id: '12345678', telegrams }])
  const exchange = await bus.read({
    ...job,
    address: '5',
    profile: { ...profile, applicationReset: { subcode: 0 } },
    want: { kind: 'history', since: now }
  })
  t.same(line.requests, ['1040054516', '6804046873055000c816', '105b056016', '107b058016', '105b056016'])
  t.match(mbusCodec.decodeEvidence({ ...exchange, profile, zone: 'UTC' }), { ok: true, value: { readings: [{ raw: 1n }] } })
})

t.test('a register without a value is looked for in the frames behind it', async (t) => {
  const telegrams = ['0C13FFFFFFFF1F', '0C14020000001F', '02FD480100']
  const { line, bus } = await busOf(t, [{ address: 5, id: '12345678', telegrams }])
  const exchange = await bus.read({ ...job, address: '5' })
  t.match(mbusCodec.decodeEvidence({ ...exchange, profile, zone: 'UTC' }), { ok: true, value: { readings: [{ raw: 2n, scaler: -2 }] } })
  t.same(line.requests, ['1040054516', '107b058016', '105b056016'], 'and no further')
})

t.test('commands go to one meter, to a selected one and to all', async (t) => {
  const peers = new PeerBus([{ address: 5, id: '12345678' }])
  const line = await peer(t, (request) =>
    request.slice(10, 12) === 'ff' || request.slice(4, 6) === 'ff' ? undefined : peers.answer(request)
  )
  const clock = { now: () => now }
  const timing = new Timing({ kind: 'tcp', baudRate: 38_400 }, 100)
  const bus = new MbusBus(new Line({ kind: 'tcp', host: '127.0.0.1', port: line.port }, clock), { tries: 3, timing, clock })
  t.teardown(() => bus.close())
  await bus.command(5, [{ kind: 'application-reset', subcode: 0x10 }], signal)
  await bus.command('12345678', [{ kind: 'set-address', address: 8 }], signal)
  const broadcast = await bus.command(255, [{ kind: 'application-reset' }], signal)
  t.same(line.requests.slice(0, 2), ['1040054516', '6804046873055010d816'])
  t.same(line.requests.slice(2, -2), ['1040fd3d16', '680b0b6853fd5278563412ffffffffb216', '6806066873fd51017a084416', '1040fd3d16'])
  t.same(line.requests.slice(-2), ['1040ff3f16', '6803036873ff50c216'], 'once each: nobody answers a broadcast')
  t.equal(broadcast.response.length, 0)
  t.equal((await failureOf(bus.command(9, [{ kind: 'application-reset' }], signal))).code, 'NO_ANSWER')
})

t.test('an encrypted meter is read with its key', async (t) => {
  // The published example of mode 7 (EN 13757-7:2018, annex F), as a wire carries it.
  const data = '0F002C25B30A0000AF5D74DF73A600D97278563412931533037500200710'
  const frame = longFrame(0x08, 5, 0x90, `${data}9058475F4BC91DF878B80A1B0F98B629024AAC727942BFC549233C0140829B93`)
  const line = await peer(t, (request) => (request.startsWith('1040') ? acknowledge : frame))
  const bus = open(t, line.port)
  const key = Buffer.from('000102030405060708090a0b0c0d0e0f', 'hex')
  const keys = { name: 'ELS-1', version: 1, secrets: { encryption: key } }
  const exchange = await bus.read({ ...job, address: '5', keys })
  t.match(mbusCodec.decodeEvidence({ ...exchange, profile, zone: 'UTC', keys }), {
    ok: true,
    value: { readings: [{ raw: 2_850_427n, scaler: -2 }] }
  })
  t.equal((await failureOf(bus.read({ ...job, address: '5' }))).code, 'MBUS_ENCRYPTED')
  const wrong = { ...keys, secrets: { encryption: new Uint8Array(16) } }
  t.equal((await failureOf(bus.read({ ...job, address: '5', keys: wrong }))).code, 'MBUS_MAC')
  const found = await bus.probe({ address: '5', zone: 'UTC', profiles: [{ name: 'water', value: profile }], signal })
  t.match(found, { identity: { id: '12345678', manufacturer: 'ELS' }, offers: [/^MBUS_ENCRYPTED/], profiles: [] })
})

t.test('a probe says who it is, what it offers and which profiles fit', async (t) => {
  const telegrams = ['0C1342000000 0406 01000000 1F'.replaceAll(' ', ''), '02FD480A00']
  const { bus } = await busOf(t, [{ address: 5, id: '12345678', telegrams }])
  const energy = { ...register, obis: '6-0:1.0.0*255', quantity: 'energy' }
  const profiles = [
    { name: 'generic-water', value: profile },
    { name: 'both', value: { ...profile, registers: [register, energy] } },
    { name: 'kam-water', value: { ...profile, device: { manufacturer: 'KAM', versions: [27], media: ['cold-water'] } } },
    { name: 'kam', value: { ...profile, device: { manufacturer: 'KAM' } } },
    { name: 'other-maker', value: { ...profile, device: { manufacturer: 'ELS' } } },
    { name: 'other-version', value: { ...profile, device: { manufacturer: 'KAM', versions: [28] } } },
    { name: 'tariff', value: { ...profile, registers: [register, { ...register, obis: '8-0:1.0.1*255', tariff: 1 }] } },
    { name: 'stored', value: { ...profile, registers: [{ ...register, storage: 'stored' }] } },
    { name: 'no-profile', value: {} }
  ]
  const found = await bus.probe({ address: '5', zone: 'UTC', profiles, signal })
  t.same(found.profiles, ['kam-water', 'kam', 'both', 'generic-water'])
  t.match(found.identity, { id: '12345678', manufacturer: 'KAM', version: 27, medium: 'cold-water' })
  t.equal(found.offers[0], 'volume m3 instantaneous storage 0 tariff 0 subunit 0 = 0.042')
  t.match(found.offers.at(-1), /^voltage V/, 'the second frame is asked for too')
  t.ok(found.response.length > 50)
})

t.test('of a meter that does not tell its maker, a profile that names one comes behind one that names none', (t) => {
  const responses = readResponses(telegramOf({ address: 5, id: '12345678' }, 0))
  const profiles = [
    { name: 'a-named', value: { ...profile, device: { manufacturer: 'ELS', media: ['water'] } } },
    { name: 'generic', value: { ...profile, device: { media: ['water'] } } }
  ]
  const identity = { id: '12345678', medium: 'water' } as const
  t.same(fittingProfiles(profiles, { identity, responses: responses.ok ? responses.value : [] }), ['generic', 'a-named'])
  t.end()
})

t.test('a scan finds meters by their addresses and by their numbers, one by one where they answer at once', async (t) => {
  const meters: readonly PeerMeter[] = [
    { address: 0, id: '12345678' },
    { address: 0, id: '12435678' },
    { address: 1, id: '90000000', rest: '2D2C1B16' },
    { address: 2, id: '90000000', rest: '93152107' }
  ]
  const { bus } = await busOf(t, meters, 40)
  const tried: (number | undefined)[] = []
  const sightings = await sightingsOf(bus.scan({ signal, progress: (_, of) => tried.push(of) }))
  t.same(
    sightings.map(({ address }) => address),
    ['0', '1', '2', '12345678.KAM.27.22', '12435678.KAM.27.22', '90000000.ELS.33.7', '90000000.KAM.27.22']
  )
  t.match(sightings[0]?.trouble, /Several meters may answer at once/)
  t.match(sightings[1], { identity: { id: '90000000', manufacturer: 'KAM' } })
  t.equal(tried.filter((of) => of === 251).length, 251)
})

t.test('a search passes over a meter that babbles, and gives up on a line that does', async (t) => {
  const peers = new PeerBus([{ address: 2, id: '12345678' }])
  const partly = await peer(t, (request) => (request.startsWith('104001') ? Buffer.alloc(1_500, 0x55) : peers.answer(request)))
  const found: Sighting[] = []
  for await (const sighting of open(t, partly.port, 100).scan({ signal, progress: () => {} })) {
    found.push(sighting)
    if (found.length === 2) break
  }
  t.match(found, [
    { address: '1', trouble: /^BUS_NEVER_QUIET/ },
    { address: '2', identity: { id: '12345678' } }
  ])
  t.equal(partly.requests.at(-1), '1040fd3d16', 'whoever is selected is deselected')
  const wholly = await peer(t, () => Buffer.alloc(1_500, 0x55))
  t.equal((await failureOf(sightingsOf(open(t, wholly.port, 100).scan({ signal, progress: () => {} })))).code, 'BUS_NEVER_QUIET')
})

t.test('a search asks again for data that were lost, and hears out who answers after another', async (t) => {
  const first = async (script: Script): Promise<Sighting | undefined> => {
    const line = await peer(t, script)
    for await (const sighting of open(t, line.port, 200).scan({ signal, progress: () => {} })) return sighting
    return undefined
  }
  const one = telegramOf({ address: 0, id: '12345678' }, 0)
  const other = telegramOf({ address: 0, id: '12345679' }, 0)
  const answering = (data: (asked: number) => Buffer | undefined): Script => {
    let asked = 0
    return (request) => (request.startsWith('1040') ? acknowledge : data(++asked))
  }
  const lost = await first(answering((asked) => (asked === 1 ? undefined : one)))
  t.match(lost, { address: '0', identity: { id: '12345678' }, trouble: undefined })
  const inTurn = await first(answering(() => Buffer.concat([one, other])))
  t.match(inTurn, { address: '0', identity: undefined, trouble: /^Several meters may answer at once/ })
  const later = await first((request, socket) => {
    if (request.startsWith('1040')) return acknowledge
    setImmediate(() => socket.write(Buffer.concat([Buffer.of(0x33), other])))
    return one
  })
  t.match(later, { address: '0', trouble: /^Several meters may answer at once/ })
  const noisy = await first(answering(() => Buffer.concat([one, Buffer.of(0x33, 0x68, 0x10), one])))
  t.match(noisy, { address: '0', identity: { id: '12345678' }, trouble: undefined }, 'noise, and the same answer once more')
})

/** A bus as the search sees it: what is selected by an address, and who answers to it. */
function attemptsOn(
  meters: readonly {
    readonly id: string
    readonly manufacturer: string
    readonly version: number
    readonly medium: string
    readonly code: number
  }[]
) {
  let attempts = 0
  const attempt = async (target: Parameters<Parameters<typeof scanBus>[1]>[0]): Promise<Attempt> => {
    attempts += 1
    if (typeof target === 'number') return { kind: 'silence' }
    const meant = meters.filter(
      ({ id, manufacturer, version, code }) =>
        Array.from(target.id).every((digit, index) => digit === 'F' || digit === id[index]) &&
        (target.manufacturer ?? manufacturer) === manufacturer &&
        (target.version ?? version) === version &&
        (target.medium ?? code) === code
    )
    const [only] = meant
    if (only === undefined) return { kind: 'silence' }
    const { code: _code, ...identity } = only
    return meant.length === 1 ? { kind: 'meter', identity } : { kind: 'trouble', garbled: true, message: 'MBUS_CHECKSUM' }
  }
  return { attempt, count: () => attempts }
}

t.test('meters of one number are told apart by medium, version and maker', async (t) => {
  const one = { id: '00000001', manufacturer: 'KAM', version: 27, medium: 'water', code: 7 }
  const other = { ...one, manufacturer: 'ELS', id: '00000002' }
  const { attempt } = attemptsOn([one, { ...one, version: 28 }, { ...one, manufacturer: 'ELS' }, other])
  const sightings = await sightingsOf(scanBus({ signal, progress: () => {} }, attempt))
  t.same(
    sightings.map(({ address }) => address),
    ['00000001.*.27.7', '00000001.KAM.28.7', '00000002.ELS.27.7'],
    'a maker that was not seen before is not tried'
  )
  t.ok(sightings[0]?.trouble)
  const seen = await sightingsOf(
    scanBus(
      { signal, progress: () => {} },
      attemptsOn([{ ...other, id: '00000000' }, { ...one, id: '00000000', medium: 'gas', code: 3 }, one, { ...one, manufacturer: 'ELS' }])
        .attempt
    )
  )
  t.same(
    seen.map(({ address }) => address),
    ['00000000.KAM.27.3', '00000000.ELS.27.7', '00000001.KAM.27.7', '00000001.ELS.27.7']
  )
})

t.test('a maker that is no three letters does not end the search, and a number of Fs is told to be none', async (t) => {
  const odd = { id: '00000001', manufacturer: '@@@', version: 27, medium: 'water', code: 7 }
  const { attempt } = attemptsOn([odd, { ...odd, id: '00000002' }, { ...odd, id: '00000002', manufacturer: 'KAM' }])
  const selecting = (target: Parameters<typeof attempt>[0]): Promise<Attempt> => {
    if (typeof target !== 'number') encodeCommand({ kind: 'select', address: target }, 253)
    return attempt(target)
  }
  const sightings = await sightingsOf(scanBus({ signal, progress: () => {} }, selecting))
  t.match(sightings, [{ address: '00000001.*.27.7' }, { address: '00000002.*.27.7', trouble: /CHECKSUM/ }])
  const blank = attemptsOn([{ ...odd, id: 'FFFFFFFF', manufacturer: 'KAM' }])
  t.match(await sightingsOf(scanBus({ signal, progress: () => {} }, blank.attempt)), [
    { address: 'FFFFFFFF.KAM.27.7', identity: { id: 'FFFFFFFF' }, trouble: /primary address/ }
  ])
})

t.test('a search on a bus that answers everything brokenly comes to an end', async (t) => {
  let attempts = 0
  const attempt = async (): Promise<Attempt> => {
    attempts += 1
    return { kind: 'trouble', garbled: true, message: 'MBUS_CHECKSUM' }
  }
  const sightings = await sightingsOf(scanBus({ signal, progress: () => {} }, attempt))
  t.equal(attempts, 251 + 4_096)
  t.match(sightings.at(-1)?.trouble, /ended after 4096 selections/)
})
