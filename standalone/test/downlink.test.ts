import type { Downlink, MeterDetail } from '@endeks/billing-api/contract'
import type { SimulatedSite } from '@endeks/firmware-sim/site'
import t from 'tap'
import { smallSite, type WayName, ways } from './small-site.js'
import { startWay, until, type Way } from './way.js'

// Goal: what a person asks of a meter is done at the meter, and what became of it is told. Method: the real API, ingest, broker and
// gateway, and a simulated meter on a socket of its own; a valve's place is what the meter says of it.

const dial = { opening: 48_211_000, closing: 49_451_000 }

/** A valve, which the public client may move. */
function withValve(site: SimulatedSite): SimulatedSite {
  const dlms = { disconnector: true, associations: [{ client: 16, mechanism: 'none' as const, rights: 'manage' as const }] }
  return { ...site, buses: site.buses.map((bus) => ({ ...bus, meters: bus.meters.map((meter) => ({ ...meter, dlms })) })) }
}

async function meterOf(way: Way, protocol: WayName): Promise<string> {
  const { items } = await way.api.get<{ items: MeterDetail[] }>(`/meters?search=${ways[protocol].serial}`)
  return String(items[0]?.id)
}

async function ended(way: Way, asked: Downlink): Promise<Downlink> {
  return until(`the end of ${asked.kind}`, async () => {
    const found = await way.api.get<Downlink>(`/downlinks/${asked.id}`)
    return found.finishedAt === null ? undefined : found
  })
}

t.test('a DLMS meter is read at once, its clock is set, its valve closes and opens', async (t) => {
  const way = await startWay(t, smallSite('dlms', dial), { simulate: withValve })
  const meter = await meterOf(way, 'dlms')
  const ask = async (kind: string, parameters?: object): Promise<Downlink> =>
    ended(way, await way.api.post<Downlink>(`/downlinks/${kind}`, { meter, ...(parameters === undefined ? {} : { parameters }) }))

  t.match(await ask('read-now'), { state: 'done', effect: 'done', requestedBy: 'admin', result: { readings: 1 } })
  const { rowCount } = await way.admin.query(`select from metering.reading where source = 'remote'`)
  t.ok((rowCount ?? 0) > 0, 'what was read went the usual way')
  t.match(await ask('set-clock'), { state: 'done', effect: 'done' })
  t.match(await ask('valve', { position: 'closed' }), {
    state: 'done',
    effect: 'done',
    result: { valve: 'closed', control: 'disconnected' }
  })
  t.match(await ask('valve', { position: 'open' }), { state: 'done', result: { valve: 'open', control: 'connected' } })
  await t.rejects(way.api.post('/downlinks/credit', { meter, parameters: { amount: '5', unit: 'm3' } }), { code: 'COMMAND_UNSUPPORTED' })

  await way.admin.query(`update account.meter set serial = '99999999' where id = $1`, [meter])
  t.match(
    await ask('valve', { position: 'closed' }),
    { state: 'failed', effect: 'none', code: 'OTHER_DEVICE' },
    'not the meter that is meant'
  )
})

t.test('what a meter can not be asked is refused, and told apart from what it refuses', async (t) => {
  const way = await startWay(t, smallSite('dlms', dial))
  const meter = await meterOf(way, 'dlms')
  const asked = await way.api.post<Downlink>('/downlinks/valve', { meter, parameters: { position: 'closed' } })
  t.match(await ended(way, asked), { state: 'failed', effect: 'none', code: /^DLMS_/ }, 'it has no valve that this client may move')
})
