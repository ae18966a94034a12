import { systemClock } from '@endeks/domain/process'
import { fromIso } from '@endeks/domain/time'
import { checkSimulatedSite, startSite } from '@endeks/firmware-sim/site'
import { checkGatewaySite, loadProfiles, shippedProfiles } from '@endeks/gateway/config'
import t from 'tap'

// Goal: meters that answer one selection at once are found each by itself, whether their answers mix or come one after the other.
// Method: the gateway's driver searches a simulated bus; three numbers differ in the first digit or the second, two in the last.

const zone = 'Europe/Istanbul'
/** Of mixed answers one in some hundreds has a sum that fits by chance; at one instant they are the same in every run. */
const clock = { now: () => fromIso('2026-11-24T09:00:00Z') }
const serials = ['12345678', '17345678', '82345670', '82345671']

function meterOf(serial: string): object {
  return {
    address: serial,
    serial,
    manufacturer: 'KAM',
    version: 27,
    medium: 'cold-water',
    scaler: -3,
    digits: 8,
    startedAt: '2026-01-01',
    // Dials that show the same might hide one answer behind the other to the last bit.
    initialIndex: 1_000_000 + serials.indexOf(serial) * 1_234_321,
    shape: { type: 'household', seed: 1, perDay: 900 },
    mbus: { secondaryOnly: true, months: 0 }
  }
}

async function found(collisions: string): Promise<string[]> {
  const simulated = { name: 'risers', protocol: 'mbus', host: '127.0.0.1', port: 0, mbus: { collisions }, meters: serials.map(meterOf) }
  const running = await startSite(checkSimulatedSite({ zone, buses: [simulated] }), clock)
  const place = { host: '127.0.0.1', port: running.ports.get('risers'), answerWithinMs: 60 }
  const file = {
    gateway: 'GW-1',
    zone,
    mqtt: { url: 'mqtt://127.0.0.1:1' },
    schedules: {},
    buses: [{ name: 'risers', protocol: 'mbus', ...place, meters: [] }]
  }
  const site = checkGatewaySite(file, loadProfiles([shippedProfiles])).buses[0]
  if (site === undefined) throw new Error('the site file has no bus')
  const counters = { read: async () => undefined, write: async () => {} }
  const bus = site.protocol.open(site.options, { clock: systemClock, answerWithinMs: site.answerWithinMs, counters })
  const sightings: string[] = []
  try {
    for await (const { address, identity } of bus.scan({ signal: new AbortController().signal, progress: () => {} }))
      if (identity !== undefined) sightings.push(address)
  } finally {
    await bus.close()
    await running.stop()
  }
  return sightings
}

// They wait most of the time.
t.jobs = 2
for (const collisions of ['mixed', 'in-turn'])
  t.test(`meters whose answers collide are found by their numbers: ${collisions}`, { buffered: true }, async (t) => {
    t.same(
      await found(collisions),
      serials.map((serial) => `${serial}.KAM.27.22`)
    )
  })
