import { createPool } from '@endeks/database/pool'
import { testDatabase } from '@endeks/database/testing'
import { gatewayId } from '@endeks/domain/identifiers'
import { createLog, systemClock } from '@endeks/domain/process'
import { epochMs } from '@endeks/domain/time'
import t from 'tap'
import { Acceptor, defaultAcceptLimits } from '../../src/accept/acceptor.js'
import { Committer } from '../../src/accept/committer.js'
import { Message } from '../../src/accept/message.js'
import { prepare } from '../../src/accept/prepare.js'
import { Resolver } from '../../src/accept/resolver.js'
import { noStatistics } from '../../src/statistics.js'
import { ExchangeIds } from '../../src/store/exchanges.js'
import { Partitions, withNextMonth } from '../../src/store/partitions.js'
import { readingsTopic } from '../support/client.js'
import { count, enterMeter, enterUtility, hour, readingsMessage, start } from '../support/site.js'

const log = createLog('test', () => undefined)
const database = await testDatabase(t)
const admin = database.createPool()
await enterUtility(admin, ['gw-1'])
const meter = await enterMeter(admin, { gateway: 'gw-1', address: '1', serial: '1' })
const pool = createPool({
  ...{ url: database.adminUrl, role: 'endeks_ingest', max: 4, applicationName: 'endeks-ingest', log },
  statementTimeoutMs: 150
})
t.teardown(() => pool.end())

const partitions = new Partitions(database.createPool())
// Made before: making one waits for whoever holds its table.
await partitions.ensure([start, ...withNextMonth(systemClock.now())])
// A hypertable's chunk is made by its first row, and stays when the row goes.
await admin.query(
  `insert into metering.reading (register_id, at, raw, status, scaler, unit, source) values (0, '2026-01-01Z', 0, 0, 0, 'm3', 'manual')`
)
await admin.query('delete from metering.reading')
const resolver = new Resolver(systemClock)
const dependencies = {
  ...{ pool, log, partitions, clock: systemClock, resolver, exchangeIds: new ExchangeIds() },
  killPoint: () => undefined
}
const committer = new Committer(dependencies, defaultAcceptLimits)

let sequence = 0
function message(hours: number, serial = '1'): Message {
  sequence += 1
  const payload = readingsMessage(sequence, [{ address: '1', serial, values: [[epochMs(start + hours * hour), BigInt(hours)]] }])
  return read(payload)
}

function read(text: string): Message {
  const incoming = { gateway: gatewayId('gw-1'), topic: readingsTopic('gw-1'), payload: Buffer.from(text) }
  return new Message(text.length, () => prepare(incoming, defaultAcceptLimits))
}

/** Runs work while another transaction, which is undone afterwards, holds what the statement takes. */
async function whileHeld<Value>(statement: string, work: () => Promise<Value>): Promise<Value> {
  const client = await admin.connect()
  try {
    await client.query('begin')
    await client.query(statement)
    return await work()
  } finally {
    await client.query('rollback')
    client.release()
  }
}

t.test('a batch that takes too long is halved until only the message that waits is left out', async (t) => {
  const messages = Array.from({ length: 16 }, (_, index) => message(index))
  const insert = `insert into metering.reading (register_id, at, raw, status, scaler, unit, source)
    values (${meter.registerId}, '2026-01-01T05:00:00Z', 5, 0, -3, 'm3', 'manual')`
  const { failures } = await whileHeld(insert, () => committer.commit(messages))
  t.same([...failures.keys()], [messages[5]])
  t.match([...failures.values()], [{ code: 'DATABASE_UNREACHABLE' }], 'it is sent again')
  t.equal(await count(admin, 'reading'), 15)
  const again = await committer.commit(messages)
  t.equal(again.failures.size, 0)
  t.equal(await count(admin, 'reading'), 16)
})

t.test('where everything takes too long, few parts are tried and nothing is acknowledged', async (t) => {
  const messages = Array.from({ length: 64 }, (_, index) => message(100 + index))
  const resolve = t.capture(resolver, 'resolve', resolver.resolve.bind(resolver))
  const { results, failures } = await whileHeld('lock table metering.reading in share mode', () => committer.commit(messages))
  t.same(results, [])
  t.equal(failures.size, 64)
  t.ok(resolve().length <= 8, 'each part is resolved when it is tried')
  resolve.restore()
})

t.test('a message whose dead letter cannot be stored either is not acknowledged', async (t) => {
  const poison = read(readingsMessage(900, [{ address: 'nul', serial: 'nul', values: [[start, 1n]] }]).replaceAll('"nul"', '"a\\u0000b"'))
  const { failures } = await whileHeld('lock table metering.dead_letter in share mode', () => committer.commit([poison, message(200)]))
  t.same([...failures.keys()], [poison])
  t.equal(await count(admin, 'reading', 'raw = 200'), 1)
})

t.test('sources hear when more is held than is stored in time, and when half of it is stored', async (t) => {
  const statistics = noStatistics()
  const limits = { pendingBytes: 25_000, refuseBytes: 40_000 }
  const acceptor = new Acceptor({ ...dependencies, statistics, stored: () => undefined, limits })
  const heard: boolean[] = []
  const forget = acceptor.pressure.onChange((high) => heard.push(high))
  const send = (hours: number): Promise<void> => {
    const payload = Buffer.from(
      readingsMessage(hours, [{ address: '1', serial: '1', values: [[epochMs(start + hours * hour), BigInt(hours)]] }])
    )
    return acceptor.accept({ gateway: gatewayId('gw-1'), topic: readingsTopic('gw-1'), payload })
  }
  const sent = await Promise.allSettled(Array.from({ length: 40 }, (_, index) => send(1_000 + index)))
  const refused = sent.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []))
  t.ok(refused.length > 0 && refused.every((error) => error.code === 'TIMEOUT'), 'the last guard is for whoever reads on')
  t.equal(await count(admin, 'reading', 'raw >= 1000'), sent.length - refused.length)
  t.same(heard, [true, false])
  t.equal(statistics.pressureRises, 1)
  forget()
  await send(1_100)
  t.notOk(acceptor.pressure.high)
})
