import { type EpochMs, fromIso } from '@endeks/domain/time'
import t, { type Test } from 'tap'
import { mbusProtocol } from '../../../src/protocols/mbus/driver.js'
import type { CommandOutcome, MeterCommand } from '../../../src/protocols/protocol.js'
import { memoryCounters } from '../../support/memory-counters.js'
import { acknowledge, longFrame, type Peer, PeerBus, peer, type Script } from './bus-peer.js'

const now = fromIso('2026-07-01T09:05:00Z')
const register = { obis: '8-0:1.0.0*255', quantity: 'volume', function: 'instantaneous', tariff: 0, subunit: 0, storage: 'current' }
const commands = {
  valve: { open: '01FD1A01', closed: '01FD1A00' },
  credit: { head: '0413', coding: 'integer', bytes: 4, scaler: -3, unit: 'm3' }
} as const
const profile = { name: 'water', protocol: 'mbus', registers: [register], commands }
const valve = { kind: 'valve', position: 'closed' } as const
const closing = longFrame(0x73, 5, 0x51, '01FD1A00').toString('hex')

async function tell(
  test: Test,
  command: MeterCommand,
  script: Script,
  { used = profile }: { readonly used?: unknown } = {}
): Promise<{ outcome: CommandOutcome; line: Peer }> {
  const line = await peer(test, script)
  const clock = { now: (): EpochMs => now }
  const bus = mbusProtocol.open(
    { host: '127.0.0.1', port: line.port, baudRate: 38_400, tries: 1 },
    { clock, answerWithinMs: 50, counters: memoryCounters() }
  )
  test.teardown(() => bus.close())
  const { signal } = new AbortController()
  const outcome = await bus.tell({ address: '5', profile: used, zone: 'Europe/Berlin', command, signal, begin: async () => {} })
  return { outcome, line }
}

const willing = (): Script => {
  const meters = new PeerBus([{ address: 5, id: '12345678' }])
  return (request) => meters.answer(request)
}

t.test(
  'records of the profile and the time point of the standard go out as CI 51, and the meter is asked for data behind them',
  async (t) => {
    const { outcome, line } = await tell(t, valve, willing())
    t.match(outcome, { state: 'done' })
    t.same(line.requests.slice(1, 2), [closing])
    const credit = await tell(t, { kind: 'credit', amount: '12.5', unit: 'm3' }, willing())
    t.match(credit.outcome, { state: 'done', result: { written: '12500' } })
    t.equal(credit.line.requests[1], longFrame(0x73, 5, 0x51, '0413D4300000').toString('hex'))
    const clock = await tell(t, { kind: 'set-clock' }, willing())
    t.match(clock.outcome, { state: 'done', result: { setTo: now } })
    // Type F: minute 5, hour 11 in summer of 20xx (0x80 and 0x20), 1 July 2026.
    t.equal(clock.line.requests[1], longFrame(0x73, 5, 0x51, '046D05AB4137').toString('hex'))
  }
)

t.test('who refuses, who is silent and who can not be asked are told apart', async (t) => {
  const refusing: Script = (request) =>
    request.startsWith('105b') || request.startsWith('107b') ? longFrame(0x08, 5, 0x70, '01') : acknowledge
  t.match((await tell(t, valve, refusing)).outcome, { state: 'rejected', code: 'MBUS_APPLICATION_ERROR' })
  const deaf: Script = (request) => (request === closing ? undefined : acknowledge)
  t.match((await tell(t, valve, deaf)).outcome, { state: 'failed', code: 'NO_ANSWER' }, 'it may have heard')
  t.match((await tell(t, valve, () => undefined)).outcome, { state: 'rejected', code: 'NO_ANSWER' }, 'nobody is there, and it was not sent')
  const { commands: _, ...bare } = profile
  const silent = await tell(t, valve, willing(), { used: bare })
  t.match(silent.outcome, { state: 'rejected', code: 'COMMAND_UNSUPPORTED' })
  t.same(silent.line.requests, [])
})
