import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { join } from 'node:path'
import { parseReadings } from '@endeks/domain/wire'
import { Aedes } from 'aedes'
import t from 'tap'
import { modbus } from '../src/codec/index.js'
import { killPoints } from '../src/service.js'
import { profile } from './protocols/modbus/profile.js'
import { runGateway } from './support/run-gateway.js'

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** A logger of profile.ts that holds one month end. */
function converter(): Server {
  const identity = [0x4142, 0x3132, 0x3300, 0, 1, 0xe240]
  const monthEnd = [0x2026, 0x0228, 1, 0]
  return createServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', (bytes) => {
      const adu = modbus.parseAdu(bytes, 0)
      const range = adu.ok ? modbus.parseReadRequest(adu.value) : undefined
      if (!adu.ok || range?.ok !== true) return
      const { function: code, address, count } = range.value
      const word = (at: number): number => (code === 4 ? 1_234 : at < 6 ? (identity[at] ?? 0) : at < 104 ? (monthEnd[at - 100] ?? 0) : 0)
      const words = Array.from({ length: count }, (_, index) => word(address + index))
      socket.write(modbus.encodeAdu(adu.value.transaction, adu.value.unit, modbus.encodeReadResponse(code, words)))
    })
  })
}

// Goal: the points can be reached in the process that runs in the field, by name alone. Method: the real executable against a real broker;
// it is killed with its first message under way or acknowledged, and started again.
t.test('a gateway killed with a message on the wire delivers it after its next start', async (t) => {
  t.ok(killPoints.includes('uplink.sent') && killPoints.includes('append.written'))
  const meters = converter()
  const aedes = await Aedes.createBroker()
  const broker = createServer(aedes.handle)
  const [port, brokerPort] = [await listen(meters), await listen(broker)]
  t.teardown(async () => {
    meters.close()
    broker.close()
    await new Promise<void>((resolve) => aedes.close(() => resolve()))
  })
  for (const point of ['uplink.sent', 'uplink.acknowledged'] as const) {
    const directory = t.testdir({ profiles: { 'p.json': JSON.stringify(profile) } })
    const path = join(directory, 'site.json')
    const entry = { address: '17', profile: profile.name, historySince: '2026-01-01' }
    const site = {
      gateway: 'GW-01',
      zone: 'Europe/Istanbul',
      mqtt: { url: `mqtt://127.0.0.1:${brokerPort}` },
      schedules: {},
      buses: [{ name: 'loggers', protocol: 'modbus', host: '127.0.0.1', port, answerWithinMs: 500, meters: [entry] }],
      profileDirectory: 'profiles',
      uplink: { reconnect: { firstWithinMs: 1, withinMs: 1 } }
    }
    writeFileSync(path, JSON.stringify(site))
    const arrived: string[] = []
    const heard = new Promise<void>((resolve) => {
      aedes.authorizePublish = (_, packet, done) => {
        const message = parseReadings(packet.payload.toString())
        if (message.ok) {
          const { lane, sequence, readings } = message.value
          arrived.push(`${lane} ${sequence} ${readings.map(({ raw }) => raw)}`)
        }
        done(null)
        if (arrived.length > 0 && restarted) resolve()
      }
    })
    let restarted = false
    const environment = { ENDEKS_SPOOL: join(directory, 'spool'), ENDEKS_MQTT_PASSWORD: 'p' }
    const first = await runGateway({ arguments: ['run', path], environment: { ...environment, ENDEKS_KILL_AT: point } })
    t.equal(first.signal, 'SIGKILL', point)
    restarted = true
    const stop = new AbortController()
    const second = runGateway({ arguments: ['run', path], environment, signal: stop.signal })
    await heard
    stop.abort()
    t.equal((await second).code, 0, point)
    t.ok(arrived.includes('backlog 1 123456,1234,65536'), `${point}: ${arrived.join('; ')}`)
    t.ok(
      arrived.every((each) => /^backlog (1 123456,1234,65536|\d+ 123456,1234)$/.test(each)),
      `${point}: and after it only what the meter shows since`
    )
  }
})
