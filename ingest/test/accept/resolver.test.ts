import { epochMs } from '@endeks/domain/time'
import t from 'tap'
import { resolveAt } from '../../src/accept/resolver.js'
import type { Connection, InstalledMeter } from '../../src/store/places.js'

const day = (n: number) => epochMs(Date.UTC(2026, 0, n))

function meter(from: number, to: number, serial: string, registerId: bigint): InstalledMeter {
  return { from, to, serial, manufacturer: 'KAM', registers: new Map([['8-0:1.0.0*255', registerId]]) }
}

// A meter that was exchanged on the 10th at 00:00, at an address that was moved to another place on the 20th.
const connections: Connection[] = [
  { from: day(1), to: day(20), installations: [meter(day(2), day(10), '0011', 1n), meter(day(10), Infinity, '22', 2n)] },
  { from: day(20), to: Infinity, installations: [meter(day(25), Infinity, '33', 3n)] }
]

const ask = (at: number, id: string, manufacturer = 'KAM', obis = '8-0:1.0.0*255') =>
  resolveAt(connections, { identity: { id, manufacturer }, obis, at: epochMs(at) })

t.test('a reading goes to the register of the meter that stood there then', (t) => {
  t.equal(ask(day(5), '0011'), 1n)
  t.equal(ask(day(15), '22'), 2n)
  t.equal(ask(day(26), '33'), 3n)
  t.equal(resolveAt(connections, { identity: { id: '22' }, obis: '8-0:1.0.0*255', at: day(15) }), 2n)
  t.end()
})

t.test('the index of the exchange belongs to both meters, each by its own name', (t) => {
  t.equal(ask(day(10), '0011'), 1n)
  t.equal(ask(day(10), '22'), 2n)
  t.end()
})

t.test('every other reading has its reason', (t) => {
  t.equal(ask(Date.UTC(2025, 11, 31), '0011'), 'UNKNOWN_CONNECTION')
  t.equal(ask(day(1), '0011'), 'NOT_INSTALLED')
  t.equal(ask(day(22), '22'), 'NOT_INSTALLED')
  t.equal(ask(day(15), '0011'), 'OTHER_DEVICE')
  t.equal(ask(day(5), '11'), 'OTHER_DEVICE', 'leading zeros count')
  t.equal(ask(day(5), '0011', 'ITR'), 'OTHER_DEVICE')
  t.equal(ask(day(5), '0011', 'KAM', '8-0:2.0.0*255'), 'UNKNOWN_REGISTER')
  t.end()
})
