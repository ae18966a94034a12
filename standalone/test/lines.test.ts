import { execFile, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { type EpochMs, fromIso } from '@endeks/domain/time'
import { checkSimulatedSite, startSite } from '@endeks/firmware-sim/site'
import { decodeEvidence } from '@endeks/gateway/codec'
import { checkGatewaySite, loadProfiles, shippedProfiles } from '@endeks/gateway/config'
import t, { type Test } from 'tap'

// Goal: simulated meters are what a program that others wrote takes for meters, and the gateway reads them over a serial port.
// Method: mbpoll's output is held against the dial; socat gives a pseudo-terminal whose other end is the simulated bus.

const run = promisify(execFile)
const zone = 'Europe/Istanbul'
const now = fromIso('2025-11-10T12:00:01+03:00')
const clock = { now: (): EpochMs => now }
const dial = 1_234_567
const meter = {
  address: '5',
  serial: '20251234',
  manufacturer: 'END',
  version: 3,
  medium: 'cold-water',
  scaler: -3,
  digits: 7,
  startedAt: '2025-09-01',
  initialIndex: 1_000,
  shape: { type: 'fixed', points: [{ at: '2025-11-10T12:00:00+03:00', raw: dial }] }
}

/** Starts buses of one meter each, and tells their ports by name. */
async function simulate(t: Test, buses: Readonly<Record<string, Record<string, unknown>>>): Promise<(name: string) => number> {
  const entries = Object.entries(buses).map(([name, bus]) => ({ name, host: '127.0.0.1', port: 0, meters: [meter], ...bus }))
  const running = await startSite(checkSimulatedSite({ zone, buses: entries }), clock)
  t.teardown(() => running.stop())
  return (name) => running.ports.get(name) ?? 0
}

/** A serial port whose other end is a TCP port of this machine. */
async function serialPort(t: Test, port: number): Promise<string> {
  const path = join(t.testdir({}), 'tty')
  const socat = spawn('socat', [`PTY,link=${path},raw,echo=0`, `TCP:127.0.0.1:${port}`], { stdio: 'ignore' })
  let missing: Error | undefined
  socat.on('error', (error) => {
    missing = error
  })
  t.teardown(() => socat.kill())
  for (let tries = 0; tries < 200; tries += 1) {
    if (missing !== undefined) throw new Error(`socat is needed, and can't be started: install it (${missing.message})`)
    if (existsSync(path)) return path
    await sleep(25)
  }
  throw new Error('socat has made no pseudo-terminal')
}

/** What mbpoll says for register `reference`, counted from 0. */
async function mbpoll(words: readonly string[], reference: number): Promise<string | undefined> {
  const { stdout } = await run('mbpoll', ['-0', '-1', '-B', '-a', '5', '-r', String(reference), '-c', '1', ...words]).catch(
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') throw new Error("mbpoll is needed, and can't be started: install it", { cause: error })
      throw error
    }
  )
  return new RegExp(`^\\[${reference}\\]:\\s*(\\S+)`, 'm').exec(stdout)?.[1]
}

t.test('mbpoll reads the dial over Modbus TCP and over a serial port', async (t) => {
  const portOf = await simulate(t, {
    logger: { protocol: 'modbus' },
    float: { protocol: 'modbus', modbus: { map: 'float' } },
    line: { protocol: 'modbus', modbus: { framing: 'rtu' } }
  })
  const tcp = (name: string): string[] => ['-m', 'tcp', '-p', String(portOf(name)), '127.0.0.1']
  t.equal(await mbpoll(['-t', '4:int', ...tcp('logger')], 16), String(dial))
  // mbpoll prints six digits of a float.
  t.equal(await mbpoll(['-t', '3:float', ...tcp('float')], 0), '1234.57')
  t.equal(await mbpoll(['-t', '4:hex', ...tcp('logger')], 0), '0x3230', 'the first two characters of the serial number')
  const path = await serialPort(t, portOf('line'))
  t.equal(await mbpoll(['-t', '4:int', '-m', 'rtu', '-b', '9600', '-P', 'even', path], 16), String(dial))
  await t.rejects(mbpoll(['-t', '4:int', ...tcp('logger')], 40), 'what the meter does not have is refused')
})

t.test('the gateway reads the dial of a Modbus meter over a serial port, by the profile that ships', async (t) => {
  const portOf = await simulate(t, { line: { protocol: 'modbus', modbus: { framing: 'rtu' } } })
  const path = await serialPort(t, portOf('line'))
  const bus = { name: 'line', protocol: 'modbus', serial: { path, baudRate: 9_600 } }
  const { reading, history } = await readBus(t, { ...bus, meters: [{ address: '5', profile: 'generic-modbus-water', schedule: 'live' }] })
  t.match(reading, { identity: { id: '20251234' }, readings: [{ obis: '8-0:1.0.0*255', raw: BigInt(dial), scaler: -3, unit: 'm3' }] })
  t.same(
    history.readings.slice(1).map(({ at, raw }) => [at, raw]),
    [
      [fromIso('2025-11-01T00:00:00+03:00'), 1_000n],
      [fromIso('2025-10-01T00:00:00+03:00'), 1_000n],
      [fromIso('2025-09-01T00:00:00+03:00'), 1_000n]
    ],
    'and its month ends'
  )
})

t.test('the gateway reads the dial of an M-Bus meter over a serial port, by the profile that ships', async (t) => {
  // A frame for each month end makes a readout that goes on by the frame count bit.
  const portOf = await simulate(t, { line: { protocol: 'mbus', meters: [{ ...meter, mbus: { monthsPerFrame: 1 } }] } })
  const path = await serialPort(t, portOf('line'))
  const bus = { name: 'line', protocol: 'mbus', serial: { path, baudRate: 9_600 } }
  const { reading, history } = await readBus(t, { ...bus, meters: [{ address: '5', profile: 'generic-mbus-water', schedule: 'live' }] })
  t.match(reading, { identity: { id: '20251234', manufacturer: 'END' }, readings: [{ raw: BigInt(dial), scaler: -3, unit: 'm3' }] })
  t.same(
    history.readings.slice(1).map(({ at, raw }) => [at, raw]),
    [
      [fromIso('2025-11-01T00:00:00+03:00'), 1_000n],
      [fromIso('2025-10-01T00:00:00+03:00'), 1_000n],
      [fromIso('2025-09-01T00:00:00+03:00'), 1_000n]
    ],
    'and its month ends, in frames of their own'
  )
})

/** Opens a bus entry of a gateway's site file as the gateway does, and reads its first meter. */
async function readBus(t: Test, entry: Record<string, unknown>) {
  const file = {
    gateway: 'GW-1',
    zone,
    mqtt: { url: 'mqtt://127.0.0.1:1' },
    schedules: { live: { everyMs: 60_000 } },
    buses: [entry]
  }
  const [site] = checkGatewaySite(file, loadProfiles([shippedProfiles])).buses
  const [first] = site?.meters ?? []
  if (site === undefined || first === undefined) throw new Error('the site file has no meter')
  const kept = new Map<string, number>()
  const counters = {
    read: async (counter: string) => kept.get(counter),
    write: async (counter: string, value: number) => void kept.set(counter, value)
  }
  const bus = site.protocol.open(site.options, { clock, answerWithinMs: site.answerWithinMs, counters })
  t.teardown(() => bus.close())
  const read = async (want: Parameters<typeof bus.read>[0]['want']) => {
    const { address, profile } = first
    const exchange = await bus.read({ address, profile: profile.value, zone, want, signal: new AbortController().signal })
    const decoded = decodeEvidence(site.protocol.codec.name, { ...exchange, profile: profile.value, zone })
    if (!decoded.ok) throw new Error(decoded.error.message)
    return decoded.value
  }
  const reading = await read({ kind: 'current' })
  const history = await read({ kind: 'history', since: 0 as EpochMs })
  await bus.close()
  return { reading, history }
}
