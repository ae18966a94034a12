import { setTimeout as sleep } from 'node:timers/promises'
import { testDatabase } from '@endeks/database/testing'
import { epochMs } from '@endeks/domain/time'
import type { MqttClient } from 'mqtt'
import t from 'tap'
import { readingsTopic } from './support/client.js'
import { count, enterMeter, enterUtility, hour, readingsMessage, start, type Told } from './support/site.js'
import { brokerSource, type IngestProcess, jetStreamSource, type SourceUnderTest } from './support/sources.js'

// Goal: a gateway sees the same promise whoever takes its messages: acknowledged means in the tables, once, whatever is killed.
// Method: the same tests against our broker and against a real nats-server, with the real program behind each. What is
// acknowledged by a stream is in the tables a moment later, so everything is awaited.

const database = await testDatabase(t)
const pool = database.createPool()
await enterUtility(pool, ['gw-1', 'gw-2'])

const factories = {
  mqtt: () => brokerSource(t, database.adminUrl),
  jetstream: () => jetStreamSource(t, database.adminUrl, ['gw-1', 'gw-2'])
}

for (const [name, makeSource] of Object.entries(factories)) {
  t.test(name, async (t) => {
    const source = await makeSource()
    const meters = new Meters(name)
    let ingest = await source.startIngest()
    const gateway = await source.connect('gw-1', ingest)

    t.test('what is acknowledged is stored, with its evidence and its number', async (t) => {
      const meter = await meters.enter()
      await send(gateway, [meters.message(1, meter, [0, 1, 2])])
      await until(async () => (await count(pool, 'reading', `register_id = ${meter.registerId} and exchange_id is not null`)) === 3)
      t.equal(await count(pool, 'sequence_range', `epoch = '${meters.epoch}' and first = 1 and last = 1`), 1)
    })

    t.test('another value for an instant is a conflict, and the reading stays', async (t) => {
      const meter = await meters.enter()
      const once = meters.message(2, meter, [0])
      await send(gateway, [once, once, meters.message(3, meter, [0], 5n)])
      await until(async () => (await count(pool, 'reading_conflict', `register_id = ${meter.registerId}`)) === 1)
      t.equal(await count(pool, 'reading', `register_id = ${meter.registerId} and raw = 0`), 1)
    })

    t.test('poison is kept alone, and its neighbours are stored', async (t) => {
      const meter = await meters.enter()
      const poison = readingsMessage(4, [{ address: 'nul', serial: 'nul', values: [[start, 1n]] }], { epoch: meters.epoch })
      const messages = [5, 6, 7, 8].map((sequence) => meters.message(sequence, meter, [sequence]))
      messages.splice(2, 0, poison.replaceAll('"nul"', '"a\\u0000b"'), 'garbage')
      const before = await count(pool, 'dead_letter')
      await send(gateway, messages)
      await until(async () => (await count(pool, 'reading', `register_id = ${meter.registerId}`)) === 4)
      await until(async () => (await count(pool, 'dead_letter')) === before + 2)
      t.same(await codes(), ['MESSAGE_MALFORMED', 'MESSAGE_UNSTORABLE'])
    })

    t.test('a reading of a meter that is not there yet waits', async (t) => {
      const told: Told = { address: `${name} later`, serial: '1', values: [[start, 1n]] }
      await send(gateway, [readingsMessage(9, [told], { epoch: meters.epoch })])
      await until(async () => (await count(pool, 'unassigned', `address = '${name} later' and gateway_id = 'gw-1'`)) === 1)
      t.pass()
    })

    t.test('what is sent while it is stopped, and what it dies over before the commit, is stored once', async (t) => {
      const meter = await meters.enter()
      ingest.child.kill('SIGTERM')
      t.same(await ingest.exited, [0, null], 'it stops when it is told to')
      const messages = [10, 11, 12, 13].map((sequence) => meters.message(sequence, meter, [sequence]))
      const sending = deliver(source, () => ingest, messages)
      ingest = await source.startIngest('accept:before-commit')
      t.same((await ingest.exited)[1], 'SIGKILL')
      t.equal(await count(pool, 'reading', `register_id = ${meter.registerId}`), 0)
      ingest = await source.startIngest()
      await sending
      await until(async () => (await count(pool, 'reading', `register_id = ${meter.registerId}`)) === 4)
      t.equal(await count(pool, 'exchange', `address = '${meter.address}'`), 4, 'and its evidence once')
      t.equal(await count(pool, 'reading_conflict', `register_id = ${meter.registerId}`), 0)
    })

    t.test('and all of it was one unbroken series', async (t) => {
      await gateway.endAsync(true)
      const { rows } = await pool.query<{ missing: bigint }>(
        `select 13 - count(distinct n) as missing from metering.sequence_range, generate_series(first, last) n where epoch = $1`,
        [meters.epoch]
      )
      // The poisonous message was read and is a dead letter, which has its number; garbage has none.
      t.same(rows, [{ missing: 1n }])
      ingest.child.kill('SIGTERM')
      await ingest.exited
      await source.stop()
    })
  })
}

interface EnteredMeter {
  readonly registerId: bigint
  readonly address: string
}

/** Meters of one source, and what they say. */
class Meters {
  readonly #source: string
  readonly epoch: string
  #entered = 0

  constructor(source: string) {
    this.#source = source
    this.epoch = Buffer.from(source).toString('hex')
  }

  async enter(): Promise<EnteredMeter> {
    this.#entered += 1
    const address = `${this.#source} ${this.#entered}`
    const { registerId } = await enterMeter(pool, { gateway: 'gw-1', address, serial: `s ${address}` })
    return { registerId, address }
  }

  message(sequence: number, { address }: EnteredMeter, hours: readonly number[], more = 0n): string {
    const values = hours.map((each) => [epochMs(start + each * hour), BigInt(each) + more] as const)
    return readingsMessage(sequence, [{ address, serial: `s ${address}`, values }], { epoch: this.epoch })
  }
}

/** Publishes one after the other, each when the one before is acknowledged. */
async function send(client: MqttClient, payloads: readonly string[]): Promise<void> {
  for (const payload of payloads) await client.publishAsync(readingsTopic('gw-1'), payload, { qos: 1 })
}

/** As a gateway does it: connects again, and sends again whatever is not acknowledged. */
async function deliver(source: SourceUnderTest, ingest: () => IngestProcess, payloads: readonly string[]): Promise<void> {
  const left = new Set(payloads)
  for (let attempt = 0; left.size > 0; attempt += 1) {
    if (attempt === 400) throw new Error('it was never acknowledged')
    const client = await source.connect('gw-1', ingest()).catch(() => undefined)
    if (client === undefined) {
      await sleep(25)
      continue
    }
    client.on('error', () => undefined)
    const closed = new Promise<void>((resolve) => client.once('close', () => resolve()))
    const sent = [...left].map(async (payload) => {
      await client.publishAsync(readingsTopic('gw-1'), payload, { qos: 1 })
      left.delete(payload)
    })
    await Promise.race([Promise.allSettled(sent), closed])
    await client.endAsync(true)
  }
}

async function codes(): Promise<string[]> {
  const { rows } = await pool.query<{ code: string }>('select code from metering.dead_letter order by id desc limit 2')
  return rows.map((row) => row.code).sort()
}

async function until(what: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 800; attempt += 1) {
    if (await what()) return
    await sleep(25)
  }
  throw new Error('it never came to be')
}
