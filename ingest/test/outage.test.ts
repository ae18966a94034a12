import { execFile } from 'node:child_process'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { testDatabase } from '@endeks/database/testing'
import { createLog, systemClock } from '@endeks/domain/process'
import { epochMs } from '@endeks/domain/time'
import t from 'tap'
import { type RunningIngest, startIngest } from '../src/service.js'
import { connectGateway, ended, publish, readingsTopic } from './support/client.js'
import { count, enterMeter, enterUtility, hour, readingsMessage, start } from './support/site.js'

const log = createLog('test', () => undefined)
const database = await testDatabase(t)
const pool = database.createPool()
await enterUtility(pool, ['gw-1'])
await enterMeter(pool, { gateway: 'gw-1', address: '1', serial: '1' })
const topic = readingsTopic('gw-1')
const message = (sequence: number) =>
  readingsMessage(sequence, [{ address: '1', serial: '1', values: [[epochMs(start + sequence * hour), BigInt(sequence)]] }])

/** A way to the database that can be cut. */
class Line {
  readonly #sockets = new Set<Socket>()
  readonly #target = new URL(database.adminUrl)
  #up = true
  readonly #server: Server = createServer((socket) => {
    if (!this.#up) {
      socket.destroy()
      return
    }
    const onward = connect(Number(this.#target.port), this.#target.hostname)
    for (const [one, other] of [
      [socket, onward],
      [onward, socket]
    ] as const) {
      this.#sockets.add(one)
      one.on('error', () => undefined)
      one.on('close', () => other.destroy())
      one.pipe(other)
    }
  })

  async open(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve))
    const address = this.#server.address()
    const url = new URL(database.adminUrl)
    if (address !== null && typeof address !== 'string') url.port = `${address.port}`
    return url.toString()
  }

  cut(): void {
    this.#up = false
    for (const socket of this.#sockets) socket.destroy()
    this.#sockets.clear()
  }

  mend(): void {
    this.#up = true
  }

  close(): void {
    this.cut()
    this.#server.close()
  }
}

const line = new Line()
const databaseUrl = await line.open()
let ingest: RunningIngest

t.before(async () => {
  ingest = await startIngest({ databaseUrl, mqttHost: '127.0.0.1', mqttPort: 0, clock: systemClock, log })
})

t.test('without its database nothing is acknowledged, and the gateway is let go to try again', async (t) => {
  const gateway = await connectGateway(ingest.port, 'gw-1')
  gateway.on('error', () => undefined)
  await publish(gateway, topic, message(1))
  line.cut()
  let acknowledged = false
  publish(gateway, topic, message(2)).then(
    () => {
      acknowledged = true
    },
    () => undefined
  )
  await ended(gateway)
  t.notOk(acknowledged)
  await t.rejects(connectGateway(ingest.port, 'gw-1'), 'nor can anybody be let in')
  await gateway.endAsync(true)
  line.mend()
  const again = await connectGateway(ingest.port, 'gw-1')
  await publish(again, topic, message(2))
  await publish(again, topic, message(3))
  await again.endAsync()
  t.equal(await count(pool, 'reading'), 3)
})

t.test('a port that is taken is named, with the setting', async (t) => {
  const options = { databaseUrl, mqttHost: '127.0.0.1', mqttPort: ingest.port, clock: systemClock, log }
  await t.rejects(startIngest(options), { code: 'PORT_TAKEN', message: new RegExp(`${ingest.port}.*ENDEKS_MQTT_PORT`) })
})

t.test('a stop acknowledges what is under way', async (t) => {
  const gateway = await connectGateway(ingest.port, 'gw-1')
  gateway.on('error', () => undefined)
  const sent = [10, 11, 12, 13].map((sequence) => publish(gateway, topic, message(sequence)))
  const settled = Promise.allSettled(sent)
  await sent[0]
  await ingest.stop()
  const acknowledged = (await settled).filter((each) => each.status === 'fulfilled').length
  t.ok(acknowledged >= 1)
  t.ok((await count(pool, 'reading')) >= 3 + acknowledged)
  await gateway.endAsync(true)
  line.close()
})

t.test('the program names every wrong setting and starts nothing', async (t) => {
  const main = fileURLToPath(new URL('../src/main.js', import.meta.url))
  const env = { ...process.env, ENDEKS_DATABASE_URL: 'mysql://x', ENDEKS_MQTT_PORT: '99999' }
  await t.rejects(promisify(execFile)(process.execPath, [main, 'run'], { env }), {
    code: 2,
    stderr: /ENDEKS_DATABASE_URL.*ENDEKS_MQTT_PORT/s
  })
})

t.test('the program prints its settings without any part of a password', async (t) => {
  const main = fileURLToPath(new URL('../src/main.js', import.meta.url))
  const env = { ...process.env, ENDEKS_DATABASE_URL: 'postgres://endeks:first:second@db/endeks' }
  const { stdout } = await promisify(execFile)(process.execPath, [main, 'run', '--check-config'], { env })
  t.match(JSON.parse(stdout), { databaseUrl: 'postgres://endeks:***@db/endeks', mqttPort: 1883 })
})
