import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Explanation, GatewayMapping, InvoicePage, RunDetail, RunRow, UnmappedKeyList } from '@endeks/billing-api/contract'
import { fromIso } from '@endeks/domain/time'
import t from 'tap'
import { connectPublisher, sparkplugDoubles } from './foreign-publisher.js'
import { lastMonth, smallSite } from './small-site.js'
import { gatewayPassword, startWay, until } from './way.js'

const ingestMain = fileURLToPath(new URL('../../../ingest/dist/src/main.js', import.meta.url))
const register = { obis: '8-0:1.0.0*255', unit: 'm3', scaler: -3 }

// Goal: what a ThingsBoard and a Sparkplug gateway sent is billed, and each bill leads down to bytes that say the same again.
// Method: both speak to the real ingest, the first before anybody has said what its key is; a byte is changed at the end.
t.test('the bill of a meter behind a gateway of another maker leads down to its bytes', async (t) => {
  const month = lastMonth()
  const [from, to] = [fromIso(month.from), fromIso(month.to)]
  const { api, admin, mqttPort, databaseUrl } = await startWay(t, twoGateways(), { unread: true })
  const moved = 'update account.connection set bus = $2, address = $3 where gateway_id = $1'
  await admin.query(moved, ['TB-1', 'thingsboard', 'Kazan dairesi'])
  await admin.query(moved, ['EDGE-1', 'osb', 'pump'])

  await api.put('/gateways/TB-1/mapping', { format: 'thingsboard', keys: [], devices: [{ device: 'Kazan dairesi', serial: '68204417' }] })
  const edgeKeys = [{ key: 'Counter/Volume', ...register }]
  await api.put('/gateways/EDGE-1/mapping', { format: 'sparkplug', keys: edgeKeys, devices: [{ device: 'pump', serial: '68204418' }] })

  const board = await connectPublisher(mqttPort, 'TB-1', gatewayPassword)
  t.teardown(() => board.close())
  const entries = [
    { ts: from, values: { total: 1000 } },
    { ts: to, values: { total: 1012.5 } }
  ]
  await board.publish('v1/gateway/telemetry', JSON.stringify({ 'Kazan dairesi': entries }))
  const unmapped = await api.get<UnmappedKeyList>('/gateways/TB-1/unmapped-keys')
  t.match(unmapped, { messages: 1, items: [{ device: 'Kazan dairesi', key: 'total', value: '1000', unit: null }] })
  const { devices } = await api.get<GatewayMapping>('/gateways/TB-1/mapping')
  await api.put('/gateways/TB-1/mapping', { format: 'thingsboard', keys: [{ key: 'total', ...register }], devices })
  t.same((await api.get<UnmappedKeyList>('/gateways/TB-1/unmapped-keys')).items, [])
  const environment = { ...process.env, ENDEKS_DATABASE_URL: databaseUrl }
  const { stdout } = await promisify(execFile)(process.execPath, [ingestMain, 'replay-dead-letters'], { env: environment })
  t.match(stdout, /MESSAGE_KEY_UNMAPPED: 1 taken/)

  const edge = await connectPublisher(mqttPort, 'EDGE-1', gatewayPassword)
  t.teardown(() => edge.close())
  await edge.publish('spBv1.0/osb/NBIRTH/EDGE-1', sparkplugDoubles(from, 0, []))
  await edge.publish('spBv1.0/osb/DBIRTH/EDGE-1/pump', sparkplugDoubles(from, 1, [{ name: 'Counter/Volume', alias: 7, value: 1000 }]))
  await edge.publish('spBv1.0/osb/DDATA/EDGE-1/pump', sparkplugDoubles(to, 2, [{ alias: 7, value: 1020.0000000000001 }]))

  await until('the consumption of both', async () => {
    const { rows } = await admin.query<{ milli: bigint | null }>(
      'SELECT sum(amount_milli)::bigint AS milli FROM metering.segment WHERE superseded_at IS NULL'
    )
    return rows[0]?.milli === 32_500_000n ? true : undefined
  })
  const { id } = await api.post<RunRow>('/bill-runs', { period: month.label })
  const run = await until('the checked run', async () => {
    const seen = await api.get<RunDetail>(`/bill-runs/${id}`)
    return seen.state === 'checked' || seen.state === 'failed' ? seen : undefined
  })
  t.match(run, { state: 'checked', bills: 2, exclusions: [] })
  await api.post(`/bill-runs/${id}/issue`, { bills: 2 })
  const invoices = await until('both invoices', async () => {
    const { items } = await api.get<InvoicePage>('/invoices')
    return items.length === 2 ? items : undefined
  })
  const explain = (label: string): Promise<Explanation> => api.get<Explanation>(`/invoices/${label}/lines/1/explain`)
  const broken = ({ chain }: Explanation): string[] => chain.filter((link) => !link.ok).map((link) => link.link)
  const protocols: string[] = []
  for (const { label } of invoices) {
    const explanation = await explain(String(label))
    const [evidence] = explanation.evidence
    if (evidence === undefined) throw new Error('the bill has no evidence')
    protocols.push(evidence.protocol)
    t.same(broken(explanation), [], evidence.protocol)
    t.same([...new Set(explanation.evidence.flatMap((each) => each.billed.map((index) => index.equal)))], [true])
    t.equal(evidence.profile.name, evidence.protocol)
    // The last byte of a number: in the text a digit, in the payload the double's.
    const payload = Buffer.from(evidence.response, 'hex')
    const place = evidence.protocol === 'thingsboard' ? payload.indexOf('1000') : payload.length - 4
    const flip = `UPDATE rating.evidence SET response = set_byte(response, $2, get_byte(response, $2) # 1)
      WHERE exchange_day || '/' || exchange_id = $1`
    await admin.query(flip, [evidence.exchange, place])
    t.same(broken(await explain(String(label))), ['bytes', 'decoding'], 'a changed byte')
    await admin.query(flip, [evidence.exchange, place])
    await admin.query(`UPDATE rating.evidence SET profile = replace(profile, '-3]', '-2]')`)
    t.same(broken(await explain(String(label))), ['decoding'], 'what was entered, changed')
    await admin.query(`UPDATE rating.evidence SET profile = replace(profile, '-2]', '-3]')`)
    t.same(broken(await explain(String(label))), [])
  }
  t.same(protocols.toSorted(), ['sparkplug', 'thingsboard'])
})

/** The small site twice: one meter behind each gateway. */
function twoGateways(): ReturnType<typeof smallSite> {
  const dated = smallSite('mbus', { opening: 1_000_000, closing: 1_000_000 })
  const { site } = dated
  const [point] = site.points
  const [participant] = site.participants
  const [gateway] = site.gateways
  const [meter] = point?.meters ?? []
  if (point === undefined || participant === undefined || gateway === undefined || meter === undefined) throw new Error('the site is empty')
  site.gateways = [
    { ...gateway, id: 'TB-1' },
    { ...gateway, id: 'EDGE-1' }
  ]
  site.participants = [participant, { ...participant, registryNo: '100002', name: 'Çağlar Metal Ltd. Şti.' }]
  site.points = [
    { ...point, meters: [{ ...meter, gateway: 'TB-1' }] },
    {
      ...point,
      ...{ code: 'SU-2', participant: '100002', contract: 'SZ-2', subscription: 'AB-2', property: { kind: 'parcel', label: '142/8' } },
      meters: [{ ...meter, gateway: 'EDGE-1', serial: '68204418' }]
    }
  ]
  return dated
}
