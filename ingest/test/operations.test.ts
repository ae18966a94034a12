import { fork } from 'node:child_process'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { testDatabase } from '@endeks/database/testing'
import t from 'tap'
import { connectGateway, publish, readingsTopic } from './support/client.js'
import { enterMeter, enterUtility, password, readingsMessage, start } from './support/site.js'

const database = await testDatabase(t)
const pool = database.createPool()
await enterUtility(pool, ['gw-1'])
await enterMeter(pool, { gateway: 'gw-1', address: '1', serial: '1' })

const settings = { ENDEKS_DATABASE_URL: database.adminUrl, ENDEKS_MQTT_PORT: '0', ENDEKS_OPERATIONS_PORT: '0' }
const main = new URL('../src/main.js', import.meta.url)
const child = fork(main, ['run'], { env: { ...process.env, ...settings }, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] })
t.teardown(() => {
  child.kill('SIGKILL')
})
let log = ''
child.stderr?.setEncoding('utf8').on('data', (text: string) => {
  log += text
})
const [ready] = await once(child, 'message')
const { port, operationsPort } = ready

async function get(path: string): Promise<{ readonly status: number; readonly body: string }> {
  const response = await fetch(`http://127.0.0.1:${operationsPort}${path}`, { headers: { connection: 'close' } })
  return { status: response.status, body: await response.text() }
}

async function until(what: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    if (await what()) return
    await sleep(25)
  }
  throw new Error('it never came to be')
}

t.test('ingest tells what it has stored and refused, and that it is ready', async (t) => {
  const gateway = await connectGateway(port, 'gw-1')
  t.teardown(() => gateway.endAsync(true))
  await publish(gateway, readingsTopic('gw-1'), readingsMessage(1, [{ address: '1', serial: '1', values: [[start, 1n]] }]))
  await publish(gateway, readingsTopic('gw-1'), 'garbage')
  const { body } = await get('/metrics')
  for (const line of [
    'endeks_ingest_readings_total{outcome="stored",service="ingest"} 1',
    'endeks_ingest_dead_letters_total{code="MESSAGE_MALFORMED",service="ingest"} 1',
    'endeks_ingest_connections{service="ingest"} 1',
    'endeks_ingest_pressed{service="ingest"} 0'
  ]) {
    t.ok(body.includes(`${line}\n`), line)
  }
  t.match(body, /^endeks_ingest_commit_seconds_count\{service="ingest"\} [12]$/m)
  t.match(body, /^endeks_ingest_vee_backlog_spans\{service="ingest"\} \d+$/m)
  t.match(await get('/ready'), { status: 200 })
  await t.rejects(connectGateway(port, 'gw-1', { password: 'a wrong secret word' }))
})

t.test('told to stop it says so before anything ends, finishes what is under way, and has logged no secret', async (t) => {
  const holding = await pool.connect()
  await holding.query('begin')
  await holding.query('lock table metering.reading in access exclusive mode')
  const gateway = await connectGateway(port, 'gw-1')
  t.teardown(() => gateway.endAsync(true))
  const published = publish(gateway, readingsTopic('gw-1'), readingsMessage(2, [{ address: '1', serial: '1', values: [[start, 1n]] }]))
  await until(async () => {
    const { rows } = await pool.query(`select from pg_stat_activity where wait_event_type = 'Lock' and application_name = 'endeks-ingest'`)
    return rows.length > 0
  })
  const exited = once(child, 'exit')
  child.kill('SIGTERM')
  await until(async () => (await get('/ready')).status === 503)
  t.match(await get('/health'), { status: 200 })
  await holding.query('commit')
  holding.release()
  await published
  t.same(await exited, [0, null])
  const databasePassword = decodeURIComponent(new URL(database.adminUrl).password)
  for (const secret of [password, 'a wrong secret word', databasePassword])
    t.ok(secret !== '' && !log.includes(secret), 'a secret stays out of the log')
  t.match(log, /"event":"stopping"/)
})
