import { createPool } from '@endeks/database/pool'
import { testDatabase } from '@endeks/database/testing'
import { gatewayId } from '@endeks/domain/identifiers'
import { createLog, systemClock } from '@endeks/domain/process'
import { epochMs } from '@endeks/domain/time'
import { type ParsedReadings, topicFor } from '@endeks/domain/wire'
import t from 'tap'
import { Acceptor } from '../../src/accept/acceptor.js'
import { Resolver } from '../../src/accept/resolver.js'
import { noStatistics } from '../../src/statistics.js'
import { ExchangeIds } from '../../src/store/exchanges.js'
import { Partitions } from '../../src/store/partitions.js'
import { count, enterMeter, enterUtility, hour, readingsMessage, start, type Told } from '../support/site.js'

const log = createLog('test', () => undefined)
const database = await testDatabase(t)
const admin = database.createPool()
await enterUtility(admin, ['gw-1', 'gw-2'])
const meter = await enterMeter(admin, { gateway: 'gw-1', address: '1', serial: '1' })
const pool = createPool({ url: database.adminUrl, role: 'endeks_ingest', max: 6, applicationName: 'endeks-ingest', log })
t.teardown(() => pool.end())

const statistics = noStatistics()
const acceptor = new Acceptor({
  ...{ pool, log, statistics, clock: systemClock, resolver: new Resolver(systemClock), partitions: new Partitions(pool) },
  ...{ exchangeIds: new ExchangeIds(), killPoint: () => undefined, stored: () => undefined }
})

async function accept(gateway: string, sequence: number, told: readonly Told[], other: Partial<ParsedReadings> = {}): Promise<void> {
  const id = gatewayId(gateway)
  await acceptor.accept({ gateway: id, topic: topicFor(id, 'readings'), payload: Buffer.from(readingsMessage(sequence, told, other)) })
}

async function lose(first: number, last: number, readings: number): Promise<void> {
  const gateway = gatewayId('gw-1')
  const loss = { v: 1, epoch: '0a1b2c3d', lane: 'backlog', first, last, readings, reason: 'spool-limit' }
  await acceptor.accept({ gateway, topic: topicFor(gateway, 'lost'), payload: Buffer.from(JSON.stringify(loss)) })
}

const told = (hours: number, raw: bigint, address = '1'): Told => ({
  address,
  serial: '1',
  values: [[epochMs(start + hours * hour), raw]]
})

async function gaps(): Promise<unknown[]> {
  const { rows } = await admin.query<{ first: bigint; last: bigint; state: string; readings: bigint | null }>(
    `select first, last, state, readings from metering.sequence_gap where gateway_id = 'gw-1' and lane = 'backlog' order by first, state`
  )
  return rows.map(({ first, last, state, readings }) => [Number(first), Number(last), state, readings === null ? null : Number(readings)])
}

// A window of twenty in any order leaves ranges between which numbers are missing; as they arrive, the ranges become one row again.
t.test('numbers that are missing are a gap until they arrive or are declared lost', async (t) => {
  const backlog = (sequence: number) => accept('gw-1', sequence, [told(sequence, BigInt(sequence))], { lane: 'backlog' })
  const order = [7, 3, 20, 1, 12, 5, 18, 9, 2, 16, 4, 14, 11, 6, 19, 8, 15]
  for (const sequence of order) await backlog(sequence)
  t.same(await gaps(), [
    [10, 10, 'open', null],
    [13, 13, 'open', null],
    [17, 17, 'open', null]
  ])
  t.equal(await count(admin, 'sequence_range', `lane = 'backlog'`), 4)
  await lose(10, 10, 30)
  await lose(10, 10, 30)
  await Promise.all([backlog(13), backlog(17), backlog(13)])
  t.same(await gaps(), [[10, 10, 'declared', 30]])
  await backlog(25)
  await lose(21, 22, 50)
  await lose(21, 23, 70)
  await lose(21, 22, 50)
  t.same(
    await gaps(),
    [
      [10, 10, 'declared', 30],
      [21, 23, 'declared', 70],
      [24, 24, 'open', null]
    ],
    'a declaration that comes again may have grown, and never shrinks'
  )
  t.equal(await count(admin, 'sequence_range', `lane = 'backlog'`), 3)
  t.equal(await count(admin, 'dead_letter'), 0)
  await lose(5, 4, 1)
  t.equal(await count(admin, 'dead_letter', `code = 'MESSAGE_MALFORMED'`), 1)
})

t.test('a meter that is heard on two paths has one reading an instant', async (t) => {
  await admin.query(
    `insert into account.connection (service_point_id, gateway_id, bus, address, valid_from)
     values ($1, 'gw-2', 'bus', 'radio', '2025-01-01Z'), ($1, 'gw-1', 'bus', 'also', '2025-01-01Z')`,
    [meter.servicePointId]
  )
  const before = await count(admin, 'reading')
  await Promise.all([
    accept('gw-1', 101, [told(101, 500n), told(101, 500n, 'also')]),
    accept('gw-2', 1, [told(101, 500n, 'radio'), told(102, 501n, 'radio')])
  ])
  await accept('gw-1', 102, [told(102, 501n)])
  t.equal((await count(admin, 'reading')) - before, 2)
  t.equal(await count(admin, 'reading_conflict'), 0)
  const many: Told[] = Array.from({ length: 300 }, (_, index) => told(200 + index, BigInt(600 + index)))
  const again = many.map((each) => ({ ...each, address: 'radio' }))
  await Promise.all([accept('gw-1', 103, many), accept('gw-2', 2, again)])
  await accept('gw-2', 3, [told(200, 7n, 'radio')])
  t.equal((await count(admin, 'reading')) - before, 302, 'whichever path came first')
  t.equal(await count(admin, 'reading_conflict', 'raw = 7'), 1)
  t.equal(await count(admin, 'dead_letter', `code = 'MESSAGE_UNSTORABLE'`), 0)
})

t.test('a late reading is taken into a month that has no place yet, and all three clocks are kept', async (t) => {
  const late = epochMs(Date.UTC(2025, 2, 31, 21, 30))
  const talked = epochMs(late + 90_000)
  const message = JSON.parse(readingsMessage(104, [{ address: '1', serial: '1', values: [[late, 1n]] }]))
  message.exchanges[0].at = talked
  const gateway = gatewayId('gw-1')
  await acceptor.accept({ gateway, topic: topicFor(gateway, 'readings'), payload: Buffer.from(JSON.stringify(message)) })
  const { rows } = await admin.query(
    `select r.at as device, e.at as gateway, r.received_at - now() > interval '-1 hour' and r.received_at = e.received_at as arrived
     from metering.reading r join metering.exchange e on e.day = r.exchange_day and e.id = r.exchange_id where r.at < '2025-12-31Z'`
  )
  t.same(rows, [{ device: late, gateway: talked, arrived: true }])
})

t.test('what a clock puts before the installation or ahead of now is set aside with its reason', async (t) => {
  const before = epochMs(Date.UTC(2024, 11, 31))
  const ahead = epochMs(systemClock.now() + 6 * 60_000)
  await accept('gw-1', 105, [
    {
      address: '1',
      serial: '1',
      values: [
        [before, 1n],
        [ahead, 2n]
      ]
    }
  ])
  const { rows } = await admin.query<{ reason: string }>('select reason from metering.unassigned order by id')
  t.same(
    rows.map((row) => row.reason),
    ['UNKNOWN_CONNECTION', 'FUTURE']
  )
  const point = await enterMeter(admin, { gateway: 'gw-1', address: '2', serial: '2' })
  await admin.query(`update account.installation set superseded_at = now() where meter_id = $1`, [point.meterId])
  await admin.query(`insert into account.installation (meter_id, service_point_id, valid_from) values ($1, $2, '2026-06-01Z')`, [
    point.meterId,
    point.servicePointId
  ])
  await accept('gw-1', 106, [{ address: '2', serial: '2', values: [[epochMs(start + hour), 1n]] }])
  t.equal(await count(admin, 'unassigned', `reason = 'NOT_INSTALLED'`), 1)
})
