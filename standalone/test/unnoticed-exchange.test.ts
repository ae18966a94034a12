import type { MeterDetail, Overview } from '@endeks/billing-api/contract'
import { systemClock } from '@endeks/domain/process'
import { epochMs, toIso } from '@endeks/domain/time'
import t from 'tap'
import { smallSite } from './small-site.js'
import { startWay, until } from './way.js'

const oldIndex = 1_000_000n
const newIndex = 5_000
const newSerial = '68209999'
/** how far the simulated meters are from their exchange until the test lets it come */
const aheadMs = 3_600_000

interface Booked {
  readonly serial: string
  readonly readings: bigint
  readonly wrong: bigint
}

/**
 * Goal: a meter that is exchanged while nobody tells the utility costs no reading and falsifies none.
 * Method: the simulated device at the address becomes another one when the old one has been read; the exchange is entered afterwards.
 */
t.test('readings of a meter exchanged without notice wait, and are its own when the exchange is entered', async (t) => {
  const dated = smallSite('mbus', { opening: Number(oldIndex), closing: Number(oldIndex) })
  const meter = dated.site.points[0]?.meters[0]
  if (meter?.simulated === undefined) throw new Error('the small site has no meter')
  let ahead = 0
  const meterClock = { now: () => epochMs(systemClock.now() + ahead) }
  const planned = toIso(epochMs(systemClock.now() + aheadMs))
  meter.simulated.faults = [{ type: 'exchanged', at: planned, serial: newSerial, initialIndex: newIndex }]
  const { api, admin } = await startWay(t, dated, { meterClock })
  await until('readings of the old meter', async () => ((await booked())[0]?.readings ?? 0n) >= 2n || undefined)
  const exchangedAt = toIso(systemClock.now())
  ahead = aheadMs

  const waiting = await until('readings of the unknown meter', async () => {
    const { rows } = await admin.query<{ waiting: bigint; devices: string[] }>(
      'SELECT count(*) AS waiting, array_agg(DISTINCT device_id) AS devices FROM metering.unassigned WHERE adopted_at IS NULL'
    )
    return (rows[0]?.waiting ?? 0n) >= 3n ? rows[0] : undefined
  })
  t.same(waiting.devices, [newSerial], 'only the new meter waits')
  t.ok((await api.get<Overview>('/overview')).unassigned >= 3, 'and the console says so')
  t.match(await booked(), [{ serial: meter.serial, wrong: 0n }], 'none of it is on the old meter')

  const { id } = await api.post<MeterDetail>('/meters', {
    serial: newSerial,
    manufacturer: meter.manufacturer,
    medium: meter.medium,
    registers: [{ obis: meter.obis, digits: 8, maxPerHour: { value: '100', unit: 'm3' } }]
  })
  await api.post(`/meters/${id}/installations`, {
    servicePoint: 'SU-1',
    from: exchangedAt,
    closingIndex: { value: '1000', unit: 'm3' },
    openingIndex: { value: '5', unit: 'm3' }
  })
  await until('the adoption', async () => {
    const { rows } = await admin.query<{ waiting: bigint }>(
      'SELECT count(*) AS waiting FROM metering.unassigned WHERE adopted_at IS NULL AND device_id = $1',
      [newSerial]
    )
    return rows[0]?.waiting === 0n ? true : undefined
  })
  const after = await booked()
  t.match(after, [
    { serial: meter.serial, wrong: 0n },
    { serial: newSerial, wrong: 0n }
  ])
  t.ok((after[1]?.readings ?? 0n) >= 3n, 'with all that waited')

  /** How many readings each meter has, and how many of them are not what its own dial showed. */
  async function booked(): Promise<Booked[]> {
    const { rows } = await admin.query<Booked>(
      `SELECT m.serial, count(*) AS readings,
              count(*) FILTER (WHERE d.raw <> CASE m.serial WHEN $1 THEN $2::bigint ELSE $3::bigint END) AS wrong
       FROM metering.reading d
       JOIN account.register r ON r.id = d.register_id
       JOIN account.meter m ON m.id = r.meter_id
       WHERE d.source = 'remote'
       GROUP BY m.serial ORDER BY m.serial`,
      [newSerial, newIndex, oldIndex]
    )
    return rows
  }
})
