import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isAppError } from '@endeks/domain/errors'
import { toIso } from '@endeks/domain/time'
import t from 'tap'
import { canonicalJson, profileHash } from '../../src/codec/index.js'
import { checkGatewaySite, loadGatewaySite, loadProfiles, shippedProfiles } from '../../src/config/index.js'

const profiles = loadProfiles([shippedProfiles])

const site = {
  gateway: 'GW-01',
  zone: 'Europe/Istanbul',
  mqtt: { url: 'mqtt://127.0.0.1:1883' },
  schedules: { live: { everyMs: 60_000 } },
  buses: [
    {
      name: 'loggers',
      protocol: 'modbus',
      host: '127.0.0.1',
      port: 502,
      meters: [
        { address: '5', profile: 'generic-modbus-water', schedule: 'live', historySince: '2025-10-01' },
        { address: '6', profile: 'generic-modbus-water', schedule: 'live' }
      ]
    }
  ]
} as const

function problemsOf(value: unknown): string[] {
  try {
    checkGatewaySite(value, profiles)
  } catch (thrown) {
    if (!isAppError(thrown, 'CONFIG_INVALID')) throw thrown
    return (thrown.details['problems'] as { path: string }[]).map(({ path }) => path)
  }
  return []
}

t.test('a good site file resolves to meters with their profile, period and first instant', async (t) => {
  const checked = checkGatewaySite(site, profiles)
  const [bus] = checked.buses
  t.equal(bus?.answerWithinMs, undefined)
  t.same(bus?.options, { host: '127.0.0.1', port: 502 })
  const [first, second] = bus?.meters ?? []
  t.equal(first?.profile.hash, profileHash(first?.profile.value))
  t.equal(toIso(first?.historySince ?? (0 as never)), '2025-09-30T21:00:00.000Z')
  t.equal(second?.historySince, undefined)
  t.equal(second?.everyMs, 60_000)
})

t.test('every problem of the shape is listed with its path', async (t) => {
  const wrong = {
    ...site,
    gateway: 'GW 01',
    extra: 1,
    mqtt: { url: 'http://x' },
    schedules: { live: { everyMs: '60' } },
    buses: [{ name: 'b' }]
  }
  const paths = problemsOf(wrong)
  for (const path of ['/gateway', '/extra', '/mqtt/url', '/schedules/live/everyMs', '/buses/0/protocol', '/buses/0/meters'])
    t.ok(paths.includes(path), path)
})

t.test('every problem of the meaning is listed with its path', async (t) => {
  const [bus] = site.buses
  const wrong = {
    ...site,
    zone: 'Europe/Nowhere',
    buses: [
      {
        ...bus,
        port: 70_000,
        color: 'red',
        meters: [
          { address: '300', profile: 'generic-modbus-water', schedule: 'live' },
          { address: '7', profile: 'no-such', schedule: 'weekly', historySince: '2025-02-30' },
          { address: '7', profile: 'generic-modbus-water' }
        ]
      },
      { ...bus, protocol: 'morse' }
    ]
  }
  t.same(problemsOf(wrong).sort(), [
    '/buses/0/color',
    '/buses/0/meters/0/address',
    '/buses/0/meters/1/historySince',
    '/buses/0/meters/1/profile',
    '/buses/0/meters/1/schedule',
    '/buses/0/meters/2',
    '/buses/0/meters/2/address',
    '/buses/0/port',
    '/buses/1/name',
    '/buses/1/protocol',
    '/zone'
  ])
})

t.test('a meter names a key that there is', async (t) => {
  const [bus] = site.buses
  const meters = [{ address: '5', profile: 'generic-modbus-water', schedule: 'live', key: '12345678' }]
  const keyed = { ...site, buses: [{ ...bus, meters }] }
  t.same(problemsOf(keyed), ['/buses/0/meters/0/key'], 'no secret was given')
  t.throws(() => checkGatewaySite(keyed, profiles, { keys: new Set(['2']) }), {
    code: 'CONFIG_INVALID',
    message: /there is no key "12345678"/
  })
  const misplaced = { ...keyed, buses: [{ ...bus, meters: [{ ...meters[0], key: '0123456789ABCDEFFEDCBA9876543210' }] }] }
  for (const keys of [undefined, new Set<string>()]) {
    t.throws(
      () => checkGatewaySite(misplaced, profiles, { keys }),
      { message: /^(?!.*0123456789ABCDEF).*meters\/0\/key/s },
      'a key is not repeated'
    )
  }
  t.equal(checkGatewaySite(keyed, profiles, { keys: new Set(['12345678']) }).buses[0]?.meters[0]?.key, '12345678')
  t.same(problemsOf({ ...keyed, buses: [{ ...bus, meters: [{ ...meters[0], key: 'a b' }] }] }), ['/buses/0/meters/0/key'])
})

t.test("a profile may not take a shipped one's name, and one that is no JSON does not hide what is wrong with others", async (t) => {
  const shipped = profiles.get('generic-modbus-water')?.value
  const directory = t.testdir({ 'a.json': JSON.stringify(shipped), 'b.json': '{"name": ', 'c.json': '{}' })
  t.throws(() => loadProfiles([shippedProfiles, directory]), {
    code: 'CONFIG_INVALID',
    message: /a\.json\/name: .*a profile that ships[\s\S]*b\.json[\s\S]*c\.json\/name/
  })
})

t.test("a site's own profiles are read, and every wrong one is listed by its file", async (t) => {
  const own = { ...(profiles.get('generic-modbus-water')?.value as object), name: 'our-logger' }
  const directory = t.testdir({ profiles: { 'good.json': JSON.stringify(own) } })
  const path = join(directory, 'site.json')
  const [bus] = site.buses
  const meters = [{ address: '5', profile: 'our-logger', schedule: 'live' }]
  writeFileSync(path, JSON.stringify({ ...site, profileDirectory: 'profiles', buses: [{ ...bus, meters }] }))
  t.equal(loadGatewaySite(path).buses[0]?.meters[0]?.profile.name, 'our-logger')
  writeFileSync(join(directory, 'profiles', 'twice.json'), JSON.stringify(own))
  writeFileSync(join(directory, 'profiles', 'wrong.json'), JSON.stringify({ ...own, name: 'wrong', registers: [] }))
  t.throws(() => loadGatewaySite(path), { code: 'CONFIG_INVALID', message: /twice\.json\/name[\s\S]*wrong\.json\/registers/ })
})

t.test("a profile's hash does not depend on how it was typed", async (t) => {
  t.equal(canonicalJson({ b: [1, { d: null, c: 'ğ' }], a: undefined, A: 1.5 }), '{"A":1.5,"b":[1,{"c":"ğ","d":null}]}')
  t.equal(profileHash({ a: 1, b: 2 }), profileHash({ b: 2, a: 1 }))
  t.throws(() => canonicalJson({ a: 1n }), { code: 'VALIDATION' })
})
