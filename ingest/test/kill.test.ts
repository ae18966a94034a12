import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { enqueue } from '@endeks/database/commands'
import { testDatabase } from '@endeks/database/testing'
import { systemClock } from '@endeks/domain/process'
import { epochMs } from '@endeks/domain/time'
import type { MqttClient } from 'mqtt'
import t from 'tap'
import { type KillPointName, killPoints } from '../src/kill-points.js'
import { connectGateway, publish, readingsTopic } from './support/client.js'
import { count, enterMeter, enterUtility, hour, readingsMessage, start } from './support/site.js'

// Goal: whatever was acknowledged is stored, once, wherever the process dies, and sending again completes the rest.
// Method: the real program kills itself at each of its named points in turn. Each time it is sent something new and all that was
// never acknowledged; what was acknowledged is looked for in the tables. In the end one that lives completes the rest.

const main = new URL('../src/main.js', import.meta.url)
const database = await testDatabase(t)
const pool = database.createPool()
await enterUtility(pool, ['gw-1'])

interface Running {
  readonly child: ChildProcess
  /** undefined when it died before it could tell */
  readonly port: number | undefined
  readonly exited: Promise<unknown[]>
}

async function startProcess(killAt: KillPointName | undefined): Promise<Running> {
  const settings = {
    ENDEKS_DATABASE_URL: database.adminUrl,
    ENDEKS_MQTT_PORT: '0',
    ...(killAt === undefined ? {} : { ENDEKS_KILL_AT: killAt })
  }
  const child = fork(main, ['run'], { env: { ...process.env, ...settings }, stdio: ['ignore', 'ignore', 'ignore', 'ipc'] })
  t.teardown(() => {
    child.kill('SIGKILL')
  })
  const exited = once(child, 'exit')
  const port = await new Promise<number | undefined>((resolve) => {
    child.on('message', (message) => {
      if (typeof message === 'object' && message !== null && 'port' in message) resolve(Number(message.port))
    })
    child.on('exit', () => resolve(undefined))
  })
  return { child, port, exited }
}

/** Publishes all at once; the process may die before, meanwhile or after. @returns the sequences that were acknowledged */
async function send(running: Running, messages: ReadonlyMap<number, string>): Promise<Set<number>> {
  const acknowledged = new Set<number>()
  const { port } = running
  if (port === undefined) return acknowledged
  let client: MqttClient
  try {
    client = await connectGateway(port, 'gw-1')
  } catch {
    await running.exited
    return acknowledged
  }
  client.on('error', () => undefined)
  const gone = new Promise<void>((resolve) => client.once('close', () => resolve()))
  const sent = [...messages].map(async ([sequence, payload]) => {
    await publish(client, readingsTopic('gw-1'), payload)
    acknowledged.add(sequence)
  })
  await Promise.race([Promise.allSettled(sent), gone])
  await client.endAsync(true)
  return acknowledged
}

let address = 0
let adoptions = 0

/** Six messages of a new meter: readings, one of them repeated with another value, one of an unknown device, and garbage. */
async function newMessages(): Promise<{ readonly messages: Map<number, string>; readonly registerId: bigint; readonly place: string }> {
  address += 1
  const place = `${address}`
  const { registerId } = await enterMeter(pool, { gateway: 'gw-1', address: place, serial: `s${place}` })
  const told = (hours: number, raw: bigint) => ({
    address: place,
    serial: `s${place}`,
    values: [[epochMs(start + hours * hour), raw]] as const
  })
  const base = address * 100
  const messages = new Map(
    [told(0, 0n), told(1, 10n), told(2, 20n), told(1, 11n)].map((each, index) => [base + index, readingsMessage(base + index, [each])])
  )
  messages.set(base + 4, readingsMessage(base + 4, [{ ...told(0, 1n), serial: `other ${place}` }]))
  messages.set(base + 5, `garbage ${place}`)
  return { messages, registerId, place }
}

const outstanding = new Map<number, string>()
const entered: { readonly registerId: bigint; readonly place: string }[] = []

// Those of the downlink and of the mirror are in tests of their own, with who receives.
for (const name of killPoints.filter((each) => !/^(downlink|mirror):/.test(each))) {
  t.test(`what was acknowledged is stored when it dies at ${name}`, async (t) => {
    const { messages, registerId, place } = await newMessages()
    entered.push({ registerId, place })
    for (const [sequence, payload] of messages) outstanding.set(sequence, payload)
    const doomed = await startProcess(name)
    const acknowledged = await send(doomed, outstanding)
    if (name.startsWith('adopt:') && doomed.port !== undefined && acknowledged.size === outstanding.size) await enterLate(place)
    const [, signal] = await doomed.exited
    t.equal(signal, 'SIGKILL', 'it died there')
    for (const sequence of acknowledged) {
      const garbage = outstanding.get(sequence)?.startsWith('garbage') === true
      const covered = await count(pool, 'sequence_range', `first <= ${sequence} and last >= ${sequence}`)
      t.equal(covered, garbage ? 0 : 1, `acknowledged ${sequence} is stored`)
      outstanding.delete(sequence)
    }
  })
}

t.test('one that lives completes the rest, and nothing is there twice', async (t) => {
  const living = await startProcess(undefined)
  const acknowledged = await send(living, outstanding)
  t.equal(acknowledged.size, outstanding.size)
  await until(async () => (await count(pool, 'dirty')) === 0)
  for (const { registerId, place } of entered) {
    t.equal(await count(pool, 'reading', `register_id = ${registerId}`), 3, place)
    t.equal(await count(pool, 'reading_conflict', `register_id = ${registerId}`), 1, place)
    t.equal(await count(pool, 'unassigned', `address = '${place}'`), 1, place)
    t.equal(await count(pool, 'segment', `register_id = ${registerId} and superseded_at is null`), 2, place)
  }
  await until(async () => (await count(pool, 'unassigned', 'adopted_at is not null')) === adoptions)
  const { rows } = await pool.query<{ n: bigint }>('select count(distinct sha256) as n from metering.dead_letter')
  t.equal(rows[0]?.n, BigInt(entered.length), 'garbage has no key by which a repeat is known, so it may be kept twice')
  living.child.kill('SIGTERM')
  t.same(await living.exited, [0, null], 'and it stops when it is told to')
})

/** The other device stood there before: its reading is adopted, which the doomed process begins. */
async function enterLate(place: string): Promise<void> {
  adoptions += 1
  await until(async () => (await count(pool, 'unassigned', `address = '${place}'`)) === 1)
  const late = await enterMeter(pool, { gateway: 'gw-1', address: `late ${place}`, serial: `other ${place}` })
  await pool.query(
    `update account.installation i set superseded_at = now() from account.connection c
     where c.service_point_id = i.service_point_id and c.address = $1 and i.meter_id <> $2`,
    [place, late.meterId]
  )
  await pool.query(`update account.installation set superseded_at = now() where meter_id = $1`, [late.meterId])
  await pool.query(
    `insert into account.installation (meter_id, service_point_id, valid_from)
     select $1, service_point_id, '2025-01-01Z' from account.connection where address = $2`,
    [late.meterId, place]
  )
  await enqueue(pool, { owner: 'ingest', kind: 'adopt-unassigned', payload: {}, requestedBy: 'test', deadlineMs: 60_000 }, systemClock)
}

async function until(what: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 400; attempt += 1) {
    if (await what()) return
    await sleep(25)
  }
  throw new Error('it never came to be')
}
