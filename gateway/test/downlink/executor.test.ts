import { EventEmitter, once } from 'node:events'
import { createLog } from '@endeks/domain/process'
import { type EpochMs, epochMs, fromIso } from '@endeks/domain/time'
import { type AckMessage, type CommandKind, type CommandMessage, parseAckMessage } from '@endeks/domain/wire'
import t, { type Test } from 'tap'
import { Acquisition } from '../../src/acquire/acquisition.js'
import { Counters } from '../../src/acquire/counters.js'
import { Executor } from '../../src/downlink/executor.js'
import { Inbox } from '../../src/downlink/inbox.js'
import { modbusProtocol } from '../../src/protocols/modbus/driver.js'
import { Spool } from '../../src/spool/spool.js'
import { profile } from '../protocols/modbus/profile.js'
import { memoryCounters } from '../support/memory-counters.js'
import { commandOf } from './commands.js'
import { listen, Units, valveProfile } from './units.js'

// Goal: what a gateway answers says truly whether the meter did it. Method: the real driver on a socket; units that note what
// they were told.

const start = fromIso('2026-11-24T09:00:30Z')
const zone = 'Europe/Istanbul'
const log = createLog('test', () => undefined)

interface Bench {
  readonly units: Units
  readonly spool: Spool
  now: EpochMs
  ask(kind: CommandKind, other?: Partial<CommandMessage>): Promise<AckMessage>
}

async function bench(t: Test): Promise<Bench> {
  const units = new Units()
  const port = await listen(units.server)
  const clock = { now: (): EpochMs => made.now }
  const counters = new Counters()
  const directory = t.testdir({ spool: {}, commands: {} })
  const spool = await Spool.open({ directory: `${directory}/spool`, maxBytes: 10_000_000, log })
  const bus = modbusProtocol.open({ host: '127.0.0.1', port }, { clock, answerWithinMs: 200, counters: memoryCounters() })
  const hash = 'a'.repeat(64)
  const known = (value: { readonly name: string }) => ({
    name: value.name,
    protocol: 'modbus',
    value,
    content: JSON.stringify(value),
    hash
  })
  const meters = [valveProfile, profile].map((each, index) => ({
    ...{ address: `${17 + index}`, profile: known(each), key: undefined, everyMs: 60_000, historySince: undefined }
  }))
  const site = { name: 'loggers', protocol: modbusProtocol, answerWithinMs: 200, options: {}, meters }
  const inbox = await Inbox.open({ directory: `${directory}/commands`, clock, log })
  if (inbox === undefined) throw new Error('the inbox does not open')
  const acquisition = new Acquisition({ spool, log, clock, counters, zone, keysOf: () => undefined })
  const buses = new Map([[site.name, bus]])
  const executor = new Executor({ ...{ inbox, buses, acquisition, zone, clock, log, counters }, sites: [site], keysOf: () => undefined })
  executor.start()
  t.teardown(async () => {
    units.server.close()
    await executor.stop()
    await bus.close()
    await inbox.close()
    await spool.close()
  })
  const changes = new EventEmitter()
  inbox.onAnswer(() => changes.emit('change'))
  let n = 0
  const made: Bench = {
    ...{ units, spool, now: start },
    async ask(kind, other = {}) {
      n += 1
      const command = commandOf(kind, n, made.now, other)
      await inbox.receive(Buffer.from(JSON.stringify(command)))
      let answer = inbox.nextAnswer()
      // Of several that wait, each takes its own.
      for (; answer?.id !== command.id; answer = inbox.nextAnswer()) await once(changes, 'change')
      await inbox.acknowledged(answer)
      changes.emit('change')
      const parsed = parseAckMessage(answer.text)
      if (!parsed.ok) throw parsed.error
      return parsed.value
    }
  }
  return made
}

t.test('what a profile declares is written once, and a valve is looked at afterwards', async (t) => {
  const { units, spool, ask } = await bench(t)
  t.match(await ask('read-now'), { state: 'done', result: { readings: 2 } })
  t.equal(spool.state.messages, 1, 'readings go the usual way')
  t.match(await ask('valve'), { state: 'done', result: { valve: 'closed' } })
  t.match(await ask('credit'), { state: 'done', result: { written: '12500' } })
  t.match(await ask('set-clock'), { state: 'done', result: { setTo: start } })
  t.same(units.writes, [
    { unit: 17, function: 5, address: 3, words: [1] },
    { unit: 17, function: 16, address: 200, words: [0, 12_500] },
    { unit: 17, function: 16, address: 300, words: [0x2026, 0x1124, 0x1200, 0x0030] }
  ])
})

t.test('what is surely not done is rejected, and the meter is told nothing', async (t) => {
  const made = await bench(t)
  const { units, ask } = made
  const rejections: readonly [string, CommandKind, Partial<CommandMessage>][] = [
    ['PLACE_NOT_CONNECTED', 'read-now', { bus: 'nowhere' }],
    ['PLACE_NOT_CONNECTED', 'valve', { address: '99' }],
    ['COMMAND_UNSUPPORTED', 'valve', { address: '18' }],
    ['OTHER_DEVICE', 'valve', { device: { id: 'AB124' } }],
    ['COMMAND_EXPIRED', 'valve', { issuedAt: start, deadline: start }],
    ['COMMAND_EXPIRED', 'read-now', { deadline: start - 1 }],
    ['GATEWAY_CLOCK_WRONG', 'set-clock', { issuedAt: start + 3_600_000, deadline: start + 7_200_000 }]
  ]
  for (const [code, kind, other] of rejections)
    t.match(await ask(kind, other), { state: 'rejected', code }, `${kind} ${JSON.stringify(other)}`)
  const tooFine = commandOf('credit', 1, start)
  if (tooFine.kind === 'credit') {
    for (const parameters of [
      { amount: '1.0005', unit: 'm3' },
      { amount: '1', unit: 'TRY' },
      { amount: '999999999999', unit: 'm3' }
    ])
      t.match(await ask('credit', { parameters }), { state: 'rejected', code: 'COMMAND_UNSUPPORTED' }, JSON.stringify(parameters))
  }
  units.refusal = 2
  t.match(await ask('valve', { device: { id: 'AB123' } }), { state: 'rejected', code: 'MODBUS_EXCEPTION' }, 'a unit that refuses it')
  t.same(units.writes, [])
})

t.test('an answer that does not come leaves open whether it was done, and nothing is sent twice', async (t) => {
  const { units, ask } = await bench(t)
  units.refusal = 'silent'
  t.match(await ask('valve'), { state: 'failed', code: 'NO_ANSWER' })
  t.equal(units.writes.length, 1)
  units.refusal = 4
  t.match(await ask('valve'), { state: 'failed', code: 'MODBUS_EXCEPTION' }, 'a unit that broke off in the middle')
})

t.test('the deadline is looked at when the bus is free, not only when the command came', async (t) => {
  const made = await bench(t)
  made.units.refusal = 'silent'
  const slow = made.ask('valve')
  await once(made.units.server, 'connection')
  const waits = made.ask('valve', { issuedAt: start, deadline: start + 50 })
  made.now = epochMs(start + 60)
  await slow
  t.match(await waits, { state: 'rejected', code: 'COMMAND_EXPIRED' })
  t.equal(made.units.writes.length, 1)
})
