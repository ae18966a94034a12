import { type EpochMs, epochMs } from '@endeks/domain/time'
import { checkSimulatedSite, type SimulatedMeterEntry, startSite } from '@endeks/firmware-sim/site'
import { dlms, type Evidence } from '@endeks/gateway/codec'
import { checkGatewaySite, loadProfiles, shippedProfiles } from '@endeks/gateway/config'
import t, { type Test } from 'tap'

/**
 * The gateway's client against the simulated server, over the wrapper and HDLC, as every kind of client. Both share a codec: that they
 * understand each other proves their dialogues, and vectors of others prove the codec.
 */
const zone = 'Europe/Istanbul'
const hour = 3_600_000
const now = epochMs(Date.UTC(2026, 10, 24, 10))
const clock = { now: () => now }

/** The driver, by the door that the gateway has for it: a site file's bus. */
function protocolOf() {
  const site = {
    gateway: 'gw-1',
    zone,
    mqtt: { url: 'mqtt://127.0.0.1:1' },
    schedules: { live: { everyMs: 60_000 } },
    buses: [{ name: 'b', protocol: 'dlms', host: '127.0.0.1', port: 1, meters: [] }]
  }
  const protocol = checkGatewaySite(site, loadProfiles([shippedProfiles])).buses[0]?.protocol
  if (protocol === undefined) throw new Error('the gateway speaks no DLMS')
  return protocol
}
const dlmsProtocol = protocolOf()

const keys = { global: '000102030405060708090a0b0c0d0e0f', authentication: 'd0d1d2d3d4d5d6d7d8d9dadbdcdddedf' }
const password = 'open sesame'
const hex = (text: string): Uint8Array => Buffer.from(text, 'hex')

type DlmsOptions = NonNullable<SimulatedMeterEntry['dlms']>

function meter(options: DlmsOptions = {}, address = '1', serial = '12345678'): SimulatedMeterEntry {
  return {
    ...{ address, serial, manufacturer: 'KAM', version: 1, medium: 'cold-water', scaler: -3, digits: 9 },
    ...{ startedAt: '2025-03-10', initialIndex: 74_565, shape: { type: 'household', seed: 7, perDay: 400 } },
    dlms: options
  }
}

const generic = {
  name: 'simulated',
  protocol: 'dlms',
  identity: { obis: '0-0:96.1.0*255', class: 1, attribute: 2 },
  registers: [{ obis: '8-0:1.0.0*255', class: 3 }],
  profileBuffer: { obis: '1-0:99.2.0*255', captures: ['clock', '8-0:1.0.0*255'] }
}
const managed = { client: 1, authentication: 'hls-gmac', protection: 'both', counter: '0-0:43.1.0*255' }

const memory = (kept = new Map<string, number>()) => ({
  kept,
  read: async (counter: string) => kept.get(counter),
  write: async (counter: string, value: number) => void kept.set(counter, value)
})

interface Setup {
  readonly meters?: readonly SimulatedMeterEntry[]
  /** of the server's bus, and of the client's */
  readonly line?: Readonly<Record<string, unknown>>
  readonly bus?: Readonly<Record<string, unknown>>
  readonly store?: ReturnType<typeof memory>
  readonly answerWithinMs?: number
}

async function setUp(t: Test, { meters = [meter()], line = {}, bus = {}, store = memory(), answerWithinMs = 2_000 }: Setup) {
  const entry = { name: 'line', protocol: 'dlms', host: '127.0.0.1', port: 0, meters, dlms: line }
  const site = await startSite(checkSimulatedSite({ zone, buses: [entry] }), clock)
  const place = { host: '127.0.0.1', port: site.ports.get('line'), attempts: 1, ...bus }
  const opened = dlmsProtocol.open(place, { clock, answerWithinMs, counters: store })
  t.teardown(async () => {
    await opened.close()
    await site.stop()
  })
  return { bus: opened, store }
}

const secrets = { encryption: hex(keys.global), authentication: hex(keys.authentication), password: Buffer.from(password) }
const meterKeys = { name: 'KAM-12345678', version: 1, secrets }

function job(profile: unknown, more: { readonly address?: string; readonly since?: EpochMs } = {}) {
  const want = more.since === undefined ? ({ kind: 'current' } as const) : ({ kind: 'history', since: more.since } as const)
  return { address: more.address ?? '1', profile, zone, want, keys: meterKeys, signal: new AbortController().signal }
}

const decode = (exchange: Omit<Evidence, 'profile' | 'zone'>, profile: unknown, kept: Evidence['keys'] = meterKeys) =>
  dlms.dlmsCodec.decodeEvidence({ ...exchange, profile, zone, ...(kept === undefined ? {} : { keys: kept }) })

const associations = {
  public: undefined,
  low: { client: 32, authentication: 'lls' },
  'HLS-5': managed,
  'HLS-5 with a dedicated key': { ...managed, dedicatedKey: true },
  'HLS-5 in general ciphering': { ...managed, general: true },
  'HLS-5 in general ciphering with a dedicated key': { ...managed, general: true, dedicatedKey: true }
}

const framings = {
  wrapper: {},
  HDLC: { line: { framing: 'hdlc' }, bus: { framing: 'hdlc' } },
  'HDLC with windows': {
    line: { framing: 'hdlc', hdlc: { maxInformation: 64, window: 5 } },
    bus: { framing: 'hdlc', maxInformation: 96, window: 3 }
  }
} as const

for (const [framing, setup] of Object.entries(framings)) {
  for (const [name, association] of Object.entries(associations)) {
    t.test(`${name} over ${framing}: index and load profile, and the bytes alone say them again`, async (t) => {
      const open: DlmsOptions = association === undefined ? {} : { keys, password }
      const { bus, store } = await setUp(t, { meters: [meter(open)], ...setup })
      const profile = association === undefined ? generic : { ...generic, association }
      const exchange = await bus.read(job(profile, { since: epochMs(now - 90 * 24 * hour) }))
      const decoded = decode(exchange, profile)
      t.match(decoded, { ok: true, value: { identity: { id: '12345678' } } })
      if (!decoded.ok) return
      const [current, ...stored] = decoded.value.readings
      t.match(current, { obis: '8-0:1.0.0*255', at: now, scaler: -3, unit: 'm3', status: 0 })
      const raws = [...stored, current].map((reading) => reading?.raw ?? -1n)
      t.ok(
        raws.every((raw, index) => index === 0 || raw >= (raws[index - 1] ?? raw)),
        'the dial never counts down'
      )
      t.equal(stored.length, 90, 'one a day')
      t.equal(store.kept.size, name.startsWith('HLS') ? 2 : 0, 'counters are kept for both directions')
    })
  }
}

const codeOf = async (reading: Promise<unknown>): Promise<string> => {
  try {
    await reading
  } catch (thrown) {
    if (typeof thrown === 'object' && thrown !== null && 'code' in thrown) return String(thrown.code)
    throw thrown
  }
  return 'read'
}

t.test('a meter with another key is a wrong key or damage, whichever of the two is wrong', async (t) => {
  const { bus } = await setUp(t, { meters: [meter({ keys, faults: { wrongKey: true } })] })
  const code = await codeOf(bus.read(job({ ...generic, association: managed })))
  t.ok(['DLMS_WRONG_KEY_OR_DAMAGED', 'DLMS_ASSOCIATION_REFUSED'].includes(code), code)
  const right = await setUp(t, { meters: [meter({ keys })] })
  const swapped = { ...meterKeys, secrets: { encryption: secrets.authentication, authentication: secrets.encryption } }
  const wrong = await codeOf(right.bus.read({ ...job({ ...generic, association: managed }), keys: swapped }))
  t.ok(['DLMS_WRONG_KEY_OR_DAMAGED', 'DLMS_ASSOCIATION_REFUSED'].includes(wrong), wrong)
  const without = { ...job({ ...generic, association: managed }), keys: { ...meterKeys, secrets: {} } }
  t.equal(await codeOf(right.bus.read(without)), 'DLMS_KEY')
})

t.test('evidence says of another key that it is wrong or the bytes are damaged', async (t) => {
  const { bus } = await setUp(t, { meters: [meter({ keys })] })
  const profile = { ...generic, association: managed }
  const exchange = await bus.read(job(profile))
  const swapped = { ...meterKeys, secrets: { encryption: secrets.authentication, authentication: secrets.encryption } }
  t.match(decode(exchange, profile, swapped), { ok: false, error: { code: 'DLMS_WRONG_KEY_OR_DAMAGED' } })
  t.match(decode(exchange, profile, { ...meterKeys, secrets: { ...secrets, encryption: hex('00'.repeat(16)) } }), {
    ok: false,
    error: { code: 'DLMS_WRONG_KEY_OR_DAMAGED' }
  })
})

t.test('a meter whose counter jumps back is not believed, now and after the gateway starts again', async (t) => {
  const store = memory()
  const meters = [meter({ keys, faults: { counterJumpsBack: { afterMessages: 12 } } })]
  const { bus } = await setUp(t, { meters, store })
  const profile = { ...generic, association: managed }
  t.equal(await codeOf(bus.read(job(profile))), 'read')
  let code = 'read'
  for (let reads = 0; reads < 4 && code === 'read'; reads += 1) code = await codeOf(bus.read(job(profile)))
  t.equal(code, 'DLMS_COUNTER')
  const again = await setUp(t, { meters: [meter({ keys })], store })
  t.equal(await codeOf(again.bus.read(job(profile))), 'DLMS_COUNTER', 'a meter of the same title and key that begins again')
})

t.test('a probe says who stands there, what it offers and which profile fits', async (t) => {
  const { bus } = await setUp(t, { meters: [meter({ keys, password, disconnector: true })] })
  const named = (name: string, value: object) => ({ name, value: { ...generic, ...value, name } })
  const profiles = [
    named('open', {}),
    named('keyed', { association: managed }),
    named('keyed-other', { association: managed, registers: [{ obis: '7-0:3.0.0*255', class: 3 }], profileBuffer: undefined }),
    named('keyed-kamstrup', { association: managed, device: { manufacturer: 'KAM' } })
  ].map(({ name, value }) => ({ name, value: JSON.parse(JSON.stringify(value)) as unknown }))
  const finding = await bus.probe({ address: '1', zone, profiles, keys: meterKeys, signal: new AbortController().signal })
  t.match(finding.identity, { id: '12345678', manufacturer: 'KAM' })
  t.same(finding.profiles, ['keyed-kamstrup', 'keyed'])
  for (const offer of [
    /^Register 8-0:1.0.0\*255, value \d+, scaler_unit 10\^-3 m3$/,
    /^Clock .*time 2026-11-24T13:00/,
    /^Disconnect control .*connected/
  ])
    t.ok(
      finding.offers.some((each) => offer.test(each)),
      `${offer}`
    )
})

t.test('a scan of a port takes the list of its management device, else it asks wPort after wPort', async (t) => {
  const signal = new AbortController().signal
  const several = [meter({}, '1', '11111111'), meter({}, '7', '77777777'), meter({}, '300', '33333333')]
  const found = async (bus: Awaited<ReturnType<typeof setUp>>['bus']) => {
    const sightings = []
    for await (const sighting of bus.scan({ signal, progress: () => undefined })) sightings.push(sighting)
    return sightings
  }
  const listed = await setUp(t, { meters: several })
  t.same(
    (await found(listed.bus)).map(({ address }) => address),
    ['1', '7', '300']
  )
  const alone = await setUp(t, { answerWithinMs: 300, meters: [meter({}, '2', '22222222')], bus: { scan: { from: 2, to: 3 } } })
  const sightings = await found(alone.bus)
  t.match(sightings, [{ address: '2', identity: { id: '22222222' } }])
  const line = await setUp(t, {
    answerWithinMs: 300,
    meters: [meter({}, '1/17', '17171717'), meter({}, '1/18', '18181818')],
    line: { framing: 'hdlc' },
    bus: { framing: 'hdlc', scan: { from: 17, to: 19 } }
  })
  t.match(await found(line.bus), [
    { address: '1/17', identity: { id: '17171717' } },
    { address: '1/18', identity: { id: '18181818' } }
  ])
})

t.test('a meter behind an M-Bus port is who its M-Bus client says it is', async (t) => {
  const submeter = { serial: '00815472', manufacturer: 'SEN', version: 8, deviceType: 7 }
  const { bus } = await setUp(t, { meters: [meter({ submeter })] })
  const profile = { ...generic, identity: { obis: '0-1:24.1.0*255', class: 72 } }
  const decoded = decode(await bus.read(job(profile)), profile)
  t.match(decoded, { ok: true, value: { identity: { id: '00815472', manufacturer: 'SEN', version: 8, medium: 'water' } } })
})
