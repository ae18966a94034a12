import { fromIso } from '@endeks/domain/time'
import { mbus } from '@endeks/gateway/codec'
import t from 'tap'
import { type MeterFault, MeterFaults } from '../../../src/faults/index.js'
import { MbusSlave } from '../../../src/meters/mbus/slave.js'
import type { SimulatedMeter } from '../../../src/meters/meter.js'

const now = fromIso('2026-11-24T09:00:00Z')

function slaveOf(more: Partial<SimulatedMeter> = {}): MbusSlave {
  return new MbusSlave({
    address: '5',
    identity: { id: '12345678', manufacturer: 'KAM', version: 27, medium: 'cold-water' },
    medium: 'cold-water',
    indexAt: () => 4_711n,
    scaler: -3,
    unit: 'm3',
    digits: 8,
    startedAt: fromIso('2024-11-14T21:00:00Z'),
    clock: { now: () => now },
    zone: 'Europe/Istanbul',
    ...more
  })
}

const { sendNke, requestUserData1, requestUserData2, frameCountBit } = mbus.control
const { selected, test, broadcast } = mbus.sharedAddress
const acknowledged = Uint8Array.of(mbus.acknowledge)

function tell(slave: MbusSlave, frame: Uint8Array): Uint8Array | undefined {
  const read = mbus.readFrame(frame)
  if (!read.ok) throw new Error(read.error.message)
  return slave.answer(read.value)
}

const ask = (slave: MbusSlave, control: number, address: number): Uint8Array | undefined => tell(slave, mbus.encodeShort(control, address))
const select = (slave: MbusSlave, address: mbus.SecondaryAddress): Uint8Array | undefined =>
  tell(slave, mbus.encodeCommand({ kind: 'select', address }, selected))

function responseOf(bytes: Uint8Array | undefined, key?: Uint8Array) {
  const frame = mbus.readFrame(bytes ?? new Uint8Array())
  if (!frame.ok || frame.value.type !== 'long') throw new Error('no long frame')
  return mbus.readResponse(frame.value, ...(key === undefined ? [] : [key]))
}

/** A response that can be read, or its failure as an exception. */
function dataOf(bytes: Uint8Array | undefined): mbus.MbusResponse {
  const response = responseOf(bytes)
  if (!response.ok) throw new Error(response.error.code)
  return response.value
}

t.test('a meter answers to its own address, to 254, and does without a word what is for all', async (t) => {
  const slave = slaveOf()
  t.same(ask(slave, sendNke, 5), acknowledged)
  t.same(ask(slave, requestUserData1, 5), acknowledged, 'no alarm')
  t.equal(ask(slave, sendNke, 6), undefined)
  t.equal(dataOf(ask(slave, requestUserData2, test)).address, 5)
  t.equal(ask(slave, sendNke, broadcast), undefined)
  t.equal(ask(slave, sendNke, selected), undefined, 'nobody selected it')
})

t.test('a selection with wildcards selects; another one, a reset at 253 and one for all deselect', async (t) => {
  const slave = slaveOf()
  for (const address of [{ id: '12345678' }, { id: 'FFFF5678' }, { id: 'FFFFFFFF', manufacturer: 'KAM', version: 27, medium: 22 }]) {
    t.same(select(slave, address), acknowledged)
    t.equal(dataOf(ask(slave, requestUserData2, selected)).identity?.id, '12345678')
  }
  for (const address of [{ id: '1234567F', manufacturer: 'ELS' }, { id: 'FFFFFFF9' }, { id: '12345678', version: 1 }]) {
    select(slave, { id: '12345678' })
    t.equal(select(slave, address), undefined)
    t.equal(ask(slave, requestUserData2, selected), undefined)
  }
  select(slave, { id: '12345678' })
  t.same(ask(slave, sendNke, selected), acknowledged)
  t.equal(ask(slave, sendNke, selected), undefined)
  select(slave, { id: '12345678' })
  ask(slave, sendNke, broadcast)
  t.equal(ask(slave, sendNke, selected), undefined)
})

t.test('a meter without a primary address answers after a selection only, as 253', async (t) => {
  const slave = slaveOf({ address: '12345678', mbus: { secondaryOnly: true } })
  t.equal(ask(slave, sendNke, 0), undefined)
  select(slave, { id: '12345678' })
  t.equal(dataOf(ask(slave, requestUserData2, selected)).address, selected)
  const delivered = slaveOf({ address: '12345678' })
  t.equal(dataOf(ask(delivered, requestUserData2, 0)).address, 0, 'as delivered')
})

t.test('each link has its own frame count bit, and a selection begins one anew', async (t) => {
  const slave = slaveOf()
  const bitSet = requestUserData2 | frameCountBit
  const first = ask(slave, bitSet, 5)
  t.same(ask(slave, bitSet, 5), first, 'the same bit gets the same frame')
  select(slave, { id: '12345678' })
  const second = ask(slave, bitSet, selected)
  t.notSame(second, first, 'on the other link the bit is new: the next frame of the readout')
  t.same(ask(slave, bitSet, selected), second)
  t.same(ask(slave, bitSet, 5), first, 'the first link still repeats')
  select(slave, { id: '12345678' })
  t.notSame(ask(slave, bitSet, selected), second)
})

t.test('an address is set, a baud rate is acknowledged and stays, an unknown command is refused with the next data', async (t) => {
  const slave = slaveOf({ mbus: { months: 0 } })
  t.same(tell(slave, mbus.encodeCommand({ kind: 'set-address', address: 17 }, 5)), acknowledged)
  t.equal(ask(slave, sendNke, 5), undefined)
  t.same(tell(slave, mbus.encodeLong(mbus.control.sendUserData, 17, 0xbb, new Uint8Array())), acknowledged)
  t.ok(responseOf(ask(slave, requestUserData2, 17)).ok)
  t.same(tell(slave, mbus.encodeLong(mbus.control.sendUserData, 17, 0x5c, new Uint8Array())), acknowledged)
  t.match(responseOf(ask(slave, requestUserData2 | frameCountBit, 17)), { ok: false, error: { code: 'MBUS_APPLICATION_ERROR' } })
  t.ok(responseOf(ask(slave, requestUserData2, 17)).ok, 'said once')
  t.same(tell(slave, mbus.encodeLong(mbus.control.sendUserData, 17, 0x51, Uint8Array.of(0x01, 0x7a, 251))), acknowledged)
  t.same(ask(slave, sendNke, 17), acknowledged, '251 is no address for a meter')
})

t.test('an application reset names what is to be read, and begins the readout again', async (t) => {
  const slave = slaveOf()
  const volumes = (subcode: number): number => {
    tell(slave, mbus.encodeCommand({ kind: 'application-reset', subcode }, 5, subcode > 0))
    ask(slave, sendNke, 5)
    return dataOf(ask(slave, requestUserData2, 5)).records.filter(({ quantity }) => quantity === 'volume').length
  }
  t.equal(volumes(0x50), 1)
  t.equal(volumes(0x20), 2)
  t.ok(volumes(0) > 2)
})

t.test('a readout has as many frames as its month ends need', async (t) => {
  const slave = slaveOf({ mbus: { months: 12, monthsPerFrame: 3 } })
  const frames = Array.from({ length: 4 }, (_, index) =>
    dataOf(ask(slave, index % 2 === 0 ? requestUserData2 | frameCountBit : requestUserData2, 5))
  )
  t.same(
    frames.map(({ moreFollow }) => moreFollow),
    [true, true, true, false]
  )
  t.equal(frames.flatMap(({ records }) => records).filter(({ quantity }) => quantity === 'volume').length, 13)
})

t.test('data are encrypted by either mode, each telegram by itself, and another key does not open them', async (t) => {
  const key = '000102030405060708090a0b0c0d0e0f'
  for (const mode of [5, 7] as const) {
    const slave = slaveOf({ mbus: { key, mode, monthsPerFrame: 8 } })
    const frames = Array.from({ length: 3 }, (_, index) =>
      ask(slave, index % 2 === 0 ? requestUserData2 | frameCountBit : requestUserData2, 5)
    )
    const opened = frames.map((frame) => responseOf(frame, Buffer.from(key, 'hex')))
    t.match(
      opened.map((each) => each.ok && [each.value.securityMode, each.value.records.some(({ index }) => index?.raw === 4_711n)]),
      [
        [mode, true],
        [mode, true],
        [mode, true]
      ]
    )
    t.match(responseOf(frames[0], Buffer.alloc(16, 1)), { ok: false })
    const other = slaveOf({ mbus: { key, mode }, faults: faults({ type: 'wrong-key' }) })
    t.match(responseOf(ask(other, requestUserData2, 5), Buffer.from(key, 'hex')), { ok: false })
  }
})

function faults(...list: readonly MeterFault[]): MeterFaults {
  return new MeterFaults({ seed: 1, address: '5', faults: list })
}

t.test('a lie is an index of Fs or a date that no calendar has, and the rest stays true', async (t) => {
  const index = dataOf(ask(slaveOf({ faults: faults({ type: 'lie', about: 'index' }) }), requestUserData2, 5))
  const volumes = index.records.filter(({ quantity }) => quantity === 'volume')
  t.ok(volumes.length > 1)
  for (const volume of volumes) t.same([volume.index, volume.value.kind], [undefined, 'invalid'])
  const date = dataOf(ask(slaveOf({ faults: faults({ type: 'lie', about: 'date' }) }), requestUserData2, 5))
  const stored = date.records.filter(({ quantity, storage }) => quantity === 'time-point' && storage > 0)
  t.ok(stored.length > 0)
  for (const { value } of stored) {
    const [low = 0, high = 0] = value.kind === 'invalid' ? value.bytes : []
    t.same([low & 0x1f, high & 0x0f], [31, 2], 'type G, and no date')
  }
})

t.test('status flags and application errors are said as the standard has them', async (t) => {
  t.equal(dataOf(ask(slaveOf({ mbus: { status: ['low-battery', 'temporary-error'] } }), requestUserData2, 5)).status, 0x14)
  const busy = slaveOf({ mbus: { months: 0 }, faults: faults({ type: 'application-error', code: 8, every: 2 }) })
  t.ok(responseOf(ask(busy, requestUserData2 | frameCountBit, 5)).ok)
  t.match(responseOf(ask(busy, requestUserData2, 5)), { ok: false, error: { code: 'MBUS_APPLICATION_ERROR' } })
})

t.test('a meter with the fixed structure says its index and that of the month end', async (t) => {
  const startedAt = fromIso('2024-11-14T21:00:00Z')
  const water = slaveOf({
    mbus: { structure: 'fixed', status: ['low-battery'] },
    indexAt: (at) => (at === now ? 4_711n : 4_000n),
    startedAt
  })
  const response = dataOf(ask(water, requestUserData2, 5))
  t.same(response.identity, { id: '12345678', medium: 'water' })
  t.equal(response.status, 4)
  t.match(response.records, [
    { quantity: 'volume', unit: 'L', index: { raw: 4_711n, scaler: 0 }, qualifiers: [] },
    { quantity: 'volume', unit: 'L', index: { raw: 4_000n, scaler: 0 }, qualifiers: ['stored-at-fixed-date'] }
  ])
  const heat = dataOf(ask(slaveOf({ medium: 'heat', unit: 'MJ', scaler: 1, mbus: { structure: 'fixed' } }), requestUserData2, 5))
  t.match(heat, { identity: { medium: 'heat' }, records: [{ quantity: 'energy', unit: 'MJ', index: { raw: 4_711n, scaler: 1 } }, {}] })
  t.throws(() => slaveOf({ digits: 9, mbus: { structure: 'fixed' } }), /8 digits/)
  t.throws(() => slaveOf({ scaler: 6, mbus: { structure: 'fixed' } }), /no unit/)
  t.throws(() => slaveOf({ mbus: { structure: 'fixed', key: '00'.repeat(16) } }), /never encrypted/)
})
