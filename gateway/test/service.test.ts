import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import { type Log, type RunningProcess, systemClock } from '@endeks/domain/process'
import { type ParsedReadings, parseProfileMessage, parseReadings } from '@endeks/domain/wire'
import { Aedes } from 'aedes'
import t from 'tap'
import { canonicalJson, decodeEvidence, modbus, profileHash } from '../src/codec/index.js'
import { checkGatewaySite } from '../src/config/index.js'
import { startGateway } from '../src/service.js'
import { profile } from './protocols/modbus/profile.js'

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

/** Registers of the logger in profile.ts: an index that counts, and two month ends. */
class Logger {
  index = 123_456
  readonly monthEnds: [date: number, index: number][] = [
    [0x20260228, 65_536],
    [0x20260131, 65_535]
  ]

  word(address: number): number {
    const identity = [0x4142, 0x3132, 0x3300, 0, this.index >> 16, this.index & 0xffff]
    if (address < 6) return identity[address] ?? 0
    const [date, index] = this.monthEnds[Math.floor((address - 100) / 4)] ?? [0, 0]
    return [date >> 16, date & 0xffff, index >> 16, index & 0xffff][address % 4] ?? 0
  }
}

/** Unit 17 answers; unit 18 answers as if it were 19; nobody else is there. */
function converter(logger: Logger): Server {
  return createServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', (bytes) => {
      const adu = modbus.parseAdu(bytes, 0)
      const range = adu.ok ? modbus.parseReadRequest(adu.value) : undefined
      if (!adu.ok || range?.ok !== true || adu.value.unit > 18) return
      const { function: code, address, count } = range.value
      const words = Array.from({ length: count }, (_, index) => (code === 4 ? 1_234 : logger.word(address + index)))
      const unit = adu.value.unit === 17 ? 17 : 19
      socket.write(modbus.encodeAdu(adu.value.transaction, unit, modbus.encodeReadResponse(code, words)))
    })
  })
}

function recorder(): { log: Log; events: { event: string; fields: Readonly<Record<string, unknown>> }[] } {
  const events: { event: string; fields: Readonly<Record<string, unknown>> }[] = []
  const keep = (event: string, fields: Readonly<Record<string, unknown>> = {}): void => void events.push({ event, fields })
  return { log: { info: keep, warn: keep, error: keep }, events }
}

t.test('a meter is read to the broker with its evidence; wrong ones are logged; a restart delivers only what is new', async (t) => {
  const logger = new Logger()
  const meters = converter(logger)
  const port = await listen(meters)
  const aedes = await Aedes.createBroker()
  const arrived: ParsedReadings[] = []
  const announced: string[] = []
  aedes.authorizePublish = (_, packet, done) => {
    const text = packet.payload.toString()
    const readings = parseReadings(text)
    const profiles = parseProfileMessage(text)
    if (readings.ok) arrived.push(readings.value)
    if (profiles.ok) announced.push(profiles.value.content)
    done(null)
  }
  const broker = createServer(aedes.handle)
  const brokerPort = await listen(broker)
  const content = canonicalJson(profile)
  const hash = profileHash(profile)
  const profiles = new Map([[profile.name, { name: profile.name, protocol: 'modbus', value: profile, content, hash }]])
  const entries = ['17', '18', '19'].map((address) => ({ address, profile: profile.name, historySince: '2026-01-01' }))
  const buses = [{ name: 'loggers', protocol: 'modbus', host: '127.0.0.1', port, answerWithinMs: 100, meters: entries }]
  const file = { gateway: 'GW-01', zone: 'Europe/Istanbul', mqtt: { url: `mqtt://127.0.0.1:${brokerPort}` }, schedules: {}, buses }
  const site = checkGatewaySite(file, profiles)
  const spool = t.testdir()
  const { log, events } = recorder()
  const start = (): Promise<RunningProcess> =>
    startGateway({ site, environment: { spool, password: 'p' }, log, clock: systemClock, onFatal: (error) => t.fail(error.message) })
  const until = async (condition: () => boolean): Promise<void> => {
    while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5))
  }
  t.teardown(async () => {
    meters.close()
    broker.close()
    await new Promise<void>((resolve) => aedes.close(() => resolve()))
  })

  const first = await start()
  await until(() => arrived.length === 1 && events.filter(({ event }) => event === 'read failed').length >= 2)
  await first.stop()
  const [message] = arrived
  t.equal(message?.lane, 'backlog')
  t.same(announced, [content])
  t.same(
    message?.readings.map(({ raw }) => raw),
    [123_456n, 1_234n, 65_536n, 65_535n]
  )
  const [exchange] = message?.exchanges ?? []
  if (exchange === undefined) return t.fail('no evidence came')
  const decoded = decodeEvidence(exchange.protocol, {
    request: Buffer.from(exchange.request, 'base64'),
    response: Buffer.from(exchange.response, 'base64'),
    at: message?.readings[0]?.at ?? (0 as never),
    zone: exchange.zone,
    profile: JSON.parse(announced[0] ?? '{}')
  })
  t.same(decoded.ok && decoded.value.readings.map(({ raw }) => raw), [123_456n, 1_234n, 65_536n, 65_535n], 'the evidence says the same')
  const failed = events.filter(({ event }) => event === 'read failed').map(({ fields }) => fields)
  t.match(
    failed.find(({ address }) => address === '18'),
    { code: 'MODBUS_UNIT', bus: 'loggers', response: /^....0000/ }
  )
  t.match(
    failed.find(({ address }) => address === '19'),
    { code: 'NO_ANSWER', request: /^....0000/, response: '' }
  )

  logger.index = 200_000
  logger.monthEnds.unshift([0x20260331, 130_000])
  logger.monthEnds.pop()
  const second = await start()
  await until(() => arrived.length === 2)
  await second.stop()
  t.same(
    arrived[1]?.readings.map(({ raw }) => raw),
    [200_000n, 1_234n, 130_000n],
    'not the month ends that were delivered'
  )
  t.equal(arrived[1]?.epoch, message?.epoch)
  t.equal(arrived[1]?.sequence, 2)
})
